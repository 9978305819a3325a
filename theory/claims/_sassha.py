"""Sassha on bowls with its Hessian diagonal exact and, unless told otherwise, without averages."""


def preconditioned(r, eps):
    """b = l/(sqrt l + eps), the curvature l = r^2 that Sassha sees."""
    return r**2 / (r + eps)


def run(lab, curvatures, x0, *, steps=1, optimizer="sassha", centre=0.0, **hyper):
    """The run (1, steps + 1, d) on the bowl with these curvatures (d,), from x0 (d,)."""
    import numpy as np

    from theory.problems._bowls import bowls

    plain = {
        "rho": 0.0,
        "beta1": 0.0,
        "beta2": 0.0,
        "eps": 0.0,
        "weight_decay": 0.0,
        "lazy_hessian": 1,
        "diagonal": "exact",
    }
    bowl = bowls(np.diag(curvatures)[None], np.full((1, len(curvatures)), centre))
    return lab.run(
        bowl, optimizer, x0=np.array(x0, float), steps=steps, batch=None, **(plain | hyper)
    )
