"""One USAM step under interpolation, in random vectors: what smoothness and the PL inequality give.

Vectors are random, inner(a, b) is E<a, b>; G = grad f(x) does not depend on the batch. With one
gradient g_i of f_i >= 0, beta-smooth, zero at the minimum, ||g_i||^2 <= 2 beta f_i; a batch has
E||g||^2 = (1 - p)||G||^2 + p E||g_i||^2. A climb of rho g changes the gradient by s d, s = beta rho,
||d|| <= ||g||.
"""

from theory.atoms import at_most, below, equal

TRUSTED = (
    "Random vectors with E<a, b> are an inner-product space: what holds for all vectors holds there.",
    (
        "A beta-smooth f_i >= 0 has ||grad f_i||^2 <= 2 beta f_i; a climb of rho g changes its "
        "gradient by at most beta rho ||g||; a step -s lowers a lambda-smooth f by <grad f, s> - "
        "lambda ||s||^2/2."
    ),
    (
        "A batch mean has E||g||^2 = (1 - p)||G||^2 + p E||g_i||^2: p = 1/B with replacement, "
        "(n - B)/(B(n - 1)) without."
    ),
)


def after_climb(m):
    """The batch's gradient at the climbed point."""
    return m.g + m.s * m.d


def setting(m):
    """Constants, and the state before the step."""
    return (
        below(0, m.alpha),
        below(0, m.beta),
        below(0, m.lam),
        below(0, m.eta),
        at_most(0, m.rho),
        at_most(0, m.s),
        equal(m.s, m.beta * m.rho),
        at_most(0, m.p),
        at_most(m.p, 1),
        at_most(0, m.f),
        equal(m.inner(m.g, m.G), m.inner(m.G, m.G)),
        at_most(2 * m.alpha * m.f, m.inner(m.G, m.G)),
        at_most(m.inner(m.d, m.d), m.inner(m.g, m.g)),
    )


def batch(m, one):
    """E||.||^2 of a batch mean from that of one sample, for mean G."""
    return (1 - m.p) * m.inner(m.G, m.G) + m.p * one


def descent(m, squared):
    """What lambda-smoothness leaves of f(x+) at most, E||step||^2 = eta^2 squared."""
    return m.f - m.eta * m.inner(m.G, after_climb(m)) + m.eta**2 * m.lam * squared / 2
