"""One thread and one processor for every entrant; imported before NumPy and JAX are."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_NUM_CPU_DEVICES"] = "1"  # what flatproof chooses where it may use one processor


def take_one_processor() -> list[int]:
    """Keep this process on one processor, where the system can; all that it could run on."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[-1:])
    return cpus
