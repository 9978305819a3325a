"""Where an optimizer stops being stable at a minimum, found by running it.

`almost_sure` and `mean_square` scan step sizes for changes of sign of the top Lyapunov exponent and
of the growth rate of E||x_t||^2; `exponent` and `second_moment` are what they are made of. Each
number comes as an interval with its confidence: sure or proved for second moments, nominal for
exponents (`_almost_sure` says why it must be); how it is made is said where it is made. Problems
are `theory.problems.quadratic`; optimizers are those whose step is linear there, SGD and USAM, with
momentum and decay if you like. Directions in which no sample curves are divided out.
"""

from proofs_check.boundaries._almost_sure import almost_sure, exponent
from proofs_check.boundaries._crossings import Boundary, Interval, Scan
from proofs_check.boundaries._mean_square import SecondMoment, mean_square, second_moment

__all__ = [
    "Boundary",
    "Interval",
    "Scan",
    "SecondMoment",
    "almost_sure",
    "exponent",
    "mean_square",
    "second_moment",
]
