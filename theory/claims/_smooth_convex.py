r"""What is known of gradients of an L-smooth, mu-strongly convex f with its minimum at 0.

With $D = L - \mu$, $h(x) = f(x) - \frac\mu2\|x\|^2$ is convex and D-smooth, so with $u = \nabla h$
$h(a) \ge h(b) + \langle u_b, a - b\rangle + \frac1{2D}\|u_a - u_b\|^2$ at any two points; such
inequalities at all pairs are also enough for an f to exist (Taylor, Hendrickx & Glineur 2017). Summed
around a cycle of points they lose the values of h. Here: the two cycles of one point and the minimiser,
and a cycle through two points and the minimiser.
"""


def secant(m, x, g):
    """<u, D x - u> >= 0 for g = grad f(x), u = g - mu x: the cycle 0, x, 0, halved, without values."""
    return m.inner(g - m.mu * x, m.L * x - g)


def cycle(m, x, g, y, k):
    """2D (<v, y> - <u, y - x>) - |u|^2 - |v|^2 - |u - v|^2 >= 0, u and v as in `secant` at x and y.

    Times 2D, the inequalities for (0, y), (y, x) and (x, 0), added up.
    """
    u, v = g - m.mu * x, k - m.mu * y
    squares = m.inner(u, u) + m.inner(v, v) + m.inner(u - v, u - v)
    return 2 * (m.L - m.mu) * (m.inner(v, y) - m.inner(u, y - x)) - squares


def sector(m):
    """m_1 and m_2: USAM's curvatures l(1 + rho l) at l = mu and L."""
    return m.mu * (1 + m.rho * m.mu), m.L * (1 + m.rho * m.L)


def worst_quadratic(lab, m, optimizer, **how):
    """||x^+||^2 after one simulated step on l x^2/2, the larger of l = mu and L, from a start of
    the length of m.x.
    """
    import numpy as np

    from theory.problems.quadratic import quadratic

    start = np.array([np.sqrt(m.inner(m.x, m.x))])
    steps = []
    for curvature in (m.mu, m.L):
        problem = quadratic(hessians=np.array([[[curvature]]]))
        run = lab.run(problem, optimizer, x0=start, steps=1, **how)
        steps.append(float(run.x[0, 1, 0] ** 2))
    return max(steps)


TRUSTED = (
    "Gradients of this class obey the interpolation inequalities (Taylor, Hendrickx & Glineur 2017).",
    "The hypotheses are sums of these, with the minimiser and the least value moved to 0.",
)
