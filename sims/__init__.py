"""What an optimizer does, found by running it. Never sees what a theorem predicts."""

import theory  # noqa: F401  (switches JAX to double precision before anything here imports it)
