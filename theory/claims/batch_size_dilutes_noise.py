r"""A batch's second moment mixes the mean's square and the samples' in the share p = 1/B, or less.

$E A_SXA_S$ for the mean $A_S$ of $B$ samples is an average over pairs of slots. In $B$ of $B^2$
pairs the two slots are the same draw. With replacement other slots are independent: $p = 1/B$ of
$\overline{A_iXA_i}$ and $1 - p$ of $AXA$. Without replacement they hold different samples, whose
mean is $(n^2AXA - n\overline{A_iXA_i})/(n(n - 1))$: together $p = \frac{n - B}{B(n - 1)}$. Here for
$n = 3$, $B = 1, 2, 3$, by listing every batch.
"""

from itertools import combinations, product

from theory.atoms import equal
from theory.core import Claim, Conventions, Kind, Source, Tolerance
from theory.domains import Operators

PAIRS = tuple(combinations(range(3), 2))


def given(m):
    return ()


def then(m):
    """Both samplers at every size; all is multiplied by the denominator of p."""
    atoms = []
    for size in (1, 2, 3):
        for batches, (part, whole) in (
            (tuple(product(range(3), repeat=size)), (1, size)),
            (tuple(combinations(range(3), size)), (3 - size, 2 * size)),
        ):
            right = (whole - part) * squared_mean(m) + part * mean_square(m)
            atoms.append(equal(whole * moment(m, batches), right))
    return tuple(atoms)


def moment(m, batches):
    """E A_S X A_S over equally likely batches of one size."""
    A, size = (m.A1, m.A2, m.A3), len(batches[0])
    sums = [total([A[i] for i in batch]) for batch in batches]
    return total([S @ m.X @ S for S in sums]) / (len(batches) * size**2)


def mean_square(m):
    """The mean of A_i X A_i."""
    return total([A @ m.X @ A for A in (m.A1, m.A2, m.A3)]) / 3


def squared_mean(m):
    """A X A with A the mean."""
    A = total([m.A1, m.A2, m.A3])
    return A @ m.X @ A / 9


def total(terms):
    """Their sum; there is no zero of every shape to start from."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def formula(m):
    """E||x^+||^2 after an SGD step of size 1 on two of the samples, drawn without replacement."""
    A, p = (m.A1 + m.A2 + m.A3) / 3, 1 / 4
    noise = sum((B - A) @ (B - A) for B in (m.A1, m.A2, m.A3)) / 3
    after = m.x - A @ m.x
    return float(after @ after + p * m.x @ noise @ m.x)


def exact(m):
    """The same by listing the pairs."""
    import numpy as np

    from theory.stability.operator import step_matrices

    samples = np.array([m.A1, m.A2, m.A3])
    chances, A = step_matrices(samples, np.full(3, 1 / 3), batch=2, sampling="without")
    after = m.x - A @ m.x
    return float(chances @ (after**2).sum(1))


def observe(lab, m):
    """The same from one simulated step on each pair."""
    import numpy as np

    from theory.problems.quadratic import quadratic

    problem = quadratic(hessians=np.array([m.A1, m.A2, m.A3]))
    run = lab.run(problem, "sgd", x0=m.x, indices=np.array(PAIRS)[:, None], lr=1.0)
    return float((run.x[:, 1] ** 2).sum(1).mean())


CLAIM = Claim(
    title="The noise of a batch is the share p of a sample's: 1/B, or (n − B)/(B(n − 1))",
    statement=r"For the mean $A_S$ of $B$ of $n$ equally likely symmetric matrices and every $X$, "
    r"$E\,A_SXA_S = (1 - p)AXA + p\,\overline{A_iXA_i}$ with $p = \frac1B$ with "
    r"replacement and $p = \frac{n - B}{B(n - 1)}$ without. Certified for $n = 3$, $B "
    r"\le 3$.",
    source=Source("other", "sampling from finite populations; Mulayoff & Michaeli 2024", "our own"),
    kind=Kind.EXACT,
    conventions=Conventions(
        normalised=False, ascent="per-sample", sampler="any batch, with or without replacement"
    ),
    domain=Operators(symmetric=("A1", "A2", "A3", "X"), vectors=("x",)),
    given=given,
    then=then,
    control={
        "A1": [[1, 1], [1, 1]],
        "A2": [[1, 0], [0, 2]],
        "A3": [[1, 1], [1, 0]],
        "X": [[1, 0], [0, 1]],
        "x": [1, 1],
    },
    formula=formula,
    exact=exact,
    observe=observe,
    tolerance=Tolerance(1e-10, "a few dozen rounded products, summed without cancellation"),
    trusted=("Any n and B follow by the same count of pairs of slots.",),
)
