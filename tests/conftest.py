"""What every test run shares; set before anything imports NumPy or JAX, which read it once."""

import os
from pathlib import Path

import hypothesis

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads only wait
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")

# the same examples in every run and on every machine, however slow the machine is
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")
