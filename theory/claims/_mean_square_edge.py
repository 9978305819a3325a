"""The mean-square edge 2/lambda_max(C^+ D): its two forms and its value by two routes."""


def drift(m):
    """C as a quadratic form on symmetric matrices."""
    A = m.mean(m.A)
    return m.form(lambda X: (A @ X + X @ A) / 2)


def noise(m):
    """D as a quadratic form on symmetric matrices."""
    return m.form(lambda X: m.mean([A @ X @ A for A in m.A]))


def formula(m):
    """The critical step 2/lambda_max(C^+ D)."""
    from theory.stability.mean_square import critical
    from theory.stability.steps import listed

    return critical(listed(m.weights, m.A)).value


def exact(m):
    """The critical step by bisection on r(T) = 1, T the dense operator: no C, no D, no response."""
    import numpy as np
    from scipy.optimize import root_scalar

    from theory.stability.threshold import mean_square_rate

    p, A, edge = np.asarray(m.weights), np.asarray(m.A), formula(m)
    if not np.isfinite(edge):
        return edge
    grows = root_scalar(
        lambda eta: mean_square_rate(p, A, eta) - 1, bracket=(edge / 2, 2 * edge), rtol=1e-14
    )
    return grows.root
