"""Theorem 7's setting on the line: its hypotheses on any samples, and the step it prescribes.

The samples interpolate at 0. What is not negative is compared after adding f(x_0) to both sides, which
changes no statement and gives the search a scale.
"""

from fractions import Fraction

from theory.atoms import at_most, below, equal

HALF = Fraction(1, 2)


def kappa(m):
    """kappa_B = ((B - 1)/B + beta/(alpha B))/2."""
    return ((m.B - 1) / m.B + m.beta / (m.alpha * m.B)) / 2


def margin(m):
    """c = 1 - (kappa_B + 1/2) beta rho."""
    return 1 - (kappa(m) + HALF) * m.beta * m.rho


def step(m):
    """The theorem's own eta."""
    return margin(m) / (2 * m.lam * kappa(m) * (1 + m.beta * m.rho) ** 2)


def smooth_and_interpolating(m):
    """f_i >= 0 = f_i(0) = f_i'(0), f_i beta-smooth, their mean lam-smooth and alpha-PL."""
    scale = m.f(m.x0)
    samples = [
        atom
        for f in m.samples
        for atom in (
            equal(f(0), 0),
            equal(f.slope(0), 0),
            at_most(scale, f.least + scale),
            at_most(f.smoothness, m.beta),
        )
    ]
    return (*samples, at_most(m.f.smoothness, m.lam), at_most(m.alpha, m.f.pl), below(0, m.alpha))


def hypotheses(m):
    """Theorem 7's, for batches of m.B samples and radius m.rho."""
    return (
        *smooth_and_interpolating(m),
        at_most(0, m.rho),
        below((kappa(m) + HALF) * m.beta * m.rho, 1),
        equal(2 * m.eta * m.lam * kappa(m) * (1 + m.beta * m.rho) ** 2, margin(m)),
    )


def progress(m):
    """alpha eta c: the part of f that a step takes away on average, or more."""
    return m.alpha * m.eta * margin(m)


COMPLETE = {
    "beta": lambda m: max(f.smoothness for f in m.samples),
    "lam": lambda m: m.f.smoothness,
    "alpha": lambda m: m.f.pl,
    "eta": step,
}
START = {"x0": (0.5, 1.5), "rho": (0.005, 0.15)}
BOWL = {"at": 0, "value": 0, "slope": 0, "breaks": [], "curvatures": [1]}
# One bowl without a climb: a step of length one ends at its minimum, as the rate says.
TIGHTEST = {
    "samples": [BOWL],
    "B": 1,
    "x0": 1,
    "rho": 0,
    "alpha": 1,
    "beta": 1,
    "lam": 1,
    "eta": 1,
}
