"""What an optimizer does, found by running it. Never sees what a theorem predicts."""

import os

import theory  # noqa: F401  (switches JAX to double precision before anything here imports it)

# XLA cuts large sums into one part for each of its threads, so last bits would depend on how many
# cores a machine has: one thread for the parts of a run. Runs are spread over cores by `sims.engine`,
# for which XLA keeps as many others as it has devices. It reads both at its start.
os.environ.setdefault("NPROC", "1")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(len(os.sched_getaffinity(0))))
