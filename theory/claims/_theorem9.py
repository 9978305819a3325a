"""The matrix of theorem 9 of Shin et al. 2023 (reconstructed), shared by the claims about it."""


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
