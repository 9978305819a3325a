"""USAM on f(u, v) = (u v - 1)^2 / 2, written out and simulated."""

from __future__ import annotations


def step(u, v, eta, rho):
    """(u, v) after one step of full-batch USAM."""
    r = u * v - 1
    above, beside = u + rho * (r * v), v + rho * (r * u)
    R = above * beside - 1
    return u - eta * (R * beside), v - eta * (R * above)


def simulated(lab, u, v, eta, rho):
    """(u, v) after one simulated step."""
    import numpy as np

    from theory.problems.factorization import factorization

    how = {"batch": None, "lr": eta, "rho": rho}
    return lab.run(factorization(), "usam", x0=np.array([u, v], float), steps=1, **how).x[0, 1]
