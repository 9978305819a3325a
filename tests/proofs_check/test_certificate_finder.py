"""`make certificates`: every kind of claim has a finder, and no finder gets in the way of another."""

import pytest

from proofs_check.checker import read, replay
from proofs_check.library import entry
from proofs_check.search.certificates import find


@pytest.mark.parametrize(
    "key",
    [
        "gd_edge",  # operators, by expansion
        "trace_bound",  # a family, by a proof
        "ascent_aligns_gradients",  # numbers, by a proof
        "hutchinson_absolute_is_diagonal",  # numbers, by a witness
        "fourth_moment_order",  # a family, by a witness
    ],
)
def test_a_certificate_is_found_again_from_the_claim_alone(key):
    item = entry(key)
    certificate = find(item)
    assert certificate is not None
    (shipped,) = item.certificates
    assert replay(certificate, item.claim).verdict == replay(read(shipped), item.claim).verdict
