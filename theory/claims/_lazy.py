"""Sassha's lazily refreshed average of a constant curvature, by closed form, recursion and run."""

INTERVAL = 10  # steps between refreshes, as published
PEAK = 141  # the step observed: the published settings are farthest off there
STEP = 0.01  # of the simulated run: after PEAK steps x is still far from 0


def weights(b, k, t):
    """(1 - b^(j+1), 1 - b^(1+jk)), j = floor((t-1)/k): what D holds of h, and what it is divided by.

    t counts from 1, and so does the step count that the released code reads at the last refresh.
    """
    j = (t - 1) // k
    return 1 - b ** (j + 1), 1 - b ** (1 + j * k)


def inflation(b, k, t):
    """How many times too long step t is: 1/sqrt(c_t)."""
    held, divisor = weights(b, k, t)
    return (divisor / held) ** 0.5


def corrected(b, h, *, by_step):
    """D / correction at step PEAK, from the recursion itself."""
    average = 0.0
    refreshes = steps = 0
    for t in range(PEAK):
        if t % INTERVAL == 0:
            average, refreshes, steps = b * average + (1 - b) * h, refreshes + 1, t + 1
    return average / (1 - b ** (steps if by_step else refreshes))


def observed(lab, b, h, bias_correction):
    """The same from how far step PEAK of a simulated run goes: STEP h x / sqrt(D / correction)."""
    from theory.claims._sassha import run

    how = {"lr": STEP, "beta2": b, "lazy_hessian": INTERVAL, "bias_correction": bias_correction}
    x = run(lab, (h,), (1.0,), steps=PEAK, **how).x[0, :, 0]
    return (STEP * h * x[-2] / (x[-2] - x[-1])) ** 2
