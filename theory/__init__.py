"""What is claimed, and what can be computed exactly. Knows no simulation.

Importing this package switches JAX to double precision: every statement audited here is about
real numbers, and single precision cannot tell a 1% error from rounding near a stability edge.
"""

import os
import sys

os.environ.setdefault("JAX_ENABLE_X64", "true")
if "jax" in sys.modules:  # the environment variable is read at JAX's own import, which came first
    sys.modules["jax"].config.update("jax_enable_x64", True)
