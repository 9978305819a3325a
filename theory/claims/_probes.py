"""Sums over every probe vector there is, and what Sassha makes of each."""

from itertools import product

STEP = 0.01  # of the simulated run: small beside 1, and large beside the rounding it divides by


def signs(d):
    """All 2^d sign vectors (d,)."""
    return list(product((1, -1), repeat=d))


def estimates(lab, hessian, vectors, absolute=True):
    """(len(vectors), d): what Sassha takes for the diagonal of `hessian` (d, d), probe by probe.

    One run sees one vector a step. Without averages and with power 1 a step is
    lr * gradient / (estimate + eps), and eps is large enough to keep the denominator positive.
    """
    import numpy as np

    from theory.problems._bowls import bowls

    H, z = np.asarray(hessian, float), np.asarray(vectors, float)
    eps = 1 + np.abs(z).max() ** 2 * np.abs(H).sum()
    run = lab.run(
        bowls(H[None], vectors=z),
        "sassha",
        x0=np.linspace(1, 2, len(H)),
        steps=len(z),
        batch=None,
        lr=STEP,
        rho=0.0,
        beta1=0.0,
        beta2=0.0,
        eps=eps,
        power=1.0,
        absolute=absolute,
        lazy_hessian=1,
        bias_correction="none",
    )
    x = run.x[0]
    return STEP * (x[:-1] @ H) / (x[:-1] - x[1:]) - eps
