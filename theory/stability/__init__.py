"""When does x_{t+1} = (I - eta A_S) x_t stay near zero? Four notions, their edges and rates.

`minimum` and `from_jax` say where the iteration stands, `analyse` answers for it.
"""

from theory.stability.minimum import Minimum, minimum
from theory.stability.network import from_jax
from theory.stability.report import StabilityReport, analyse

__all__ = ["Minimum", "StabilityReport", "analyse", "from_jax", "minimum"]
