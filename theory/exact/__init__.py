"""Exact arithmetic on the standard library alone: what a certificate is replayed with."""

from theory.exact.matrix import Matrix, is_positive_definite, negative_direction
from theory.exact.polynomial import Polynomial
from theory.exact.second_moment import SecondMoment
from theory.exact.words import Words, inner

__all__ = [
    "Matrix",
    "Polynomial",
    "SecondMoment",
    "Words",
    "inner",
    "is_positive_definite",
    "negative_direction",
]
