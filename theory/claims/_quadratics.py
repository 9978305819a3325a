"""What one step does on a quadratic, by the eigenbasis: the route claims compare themselves with."""


def squared_distance(H, x, eta, rho=0.0):
    """||x^+||^2 after one (unnormalised SAM) step: a factor (1 - eta l (1 + rho l))^2 a direction."""
    import numpy as np

    lam, vectors = np.linalg.eigh(H)
    return float(((1 - eta * lam * (1 + rho * lam)) ** 2 * (vectors.T @ x) ** 2).sum())


def simulated_distance(lab, H, x, optimizer, **how):
    """||x^+||^2 after one simulated step."""
    from theory.problems.quadratic import quadratic

    run = lab.run(quadratic(hessians=H[None]), optimizer, x0=x, steps=1, **how)
    return float(run.x[0, 1] @ run.x[0, 1])
