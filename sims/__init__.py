"""What an optimizer does, found by running it. Never sees what a theorem predicts."""

import os

import theory  # noqa: F401  (switches JAX to double precision before anything here imports it)

# XLA cuts large sums into one part for each of its threads, so last bits would depend on how many
# cores a machine has. Runs are spread over cores by `sims.engine`; XLA reads this at its start.
os.environ.setdefault("NPROC", "1")
