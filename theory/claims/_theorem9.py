"""The matrix of theorem 9 of Shin et al. 2023 (reconstructed), shared by the claims about it."""

from theory.atoms import at_most


def printed_matrix(m):
    """The matrix whose largest eigenvalue theorem 9 compares with one."""
    H2 = m.H @ m.H
    mean_step = m.I - m.eta * m.H - (m.eta * m.rho) * H2
    return (
        mean_step @ mean_step
        + (m.eta * (m.eta - 2 * m.rho)) * (m.M(2) - H2)
        + (2 * m.eta * m.eta * m.rho) * (m.M(3) - H2 @ m.H)
        + (m.eta * m.eta * m.rho * m.rho) * (m.M(4) - H2 @ H2)
    )


def mean_is_not_negative(m):
    """The curvature of the mean loss along v, a lemma."""
    return (at_most(0, m.corner(m.H)),)


def jensen(m):
    """What scalar Jensen squares at v: deviations of a curvature, and of the mean's, from its mean."""
    h, mean = m.samples[0], m.corner(m.H)
    spread = [A - mean * m.I for A in (h, m.H)]
    fourth = [A @ A - mean**2 * m.I for A in (h, m.H)]
    return (
        1 - m.eta * mean - m.eta * m.rho * mean**2,
        *spread,
        *fourth,
        *(mean * s for s in spread),
    )
