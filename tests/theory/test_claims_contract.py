"""Every claim in the folder keeps the same promises; a new file is covered without being named."""

import ast
import inspect

import pytest

from proofs_check import readings
from proofs_check.evidence import Outcome
from proofs_check.library import entries
from theory import catalogue
from theory.core import Notion
from theory.domains import Family
from theory.fingerprint import fingerprint

ENTRIES = entries()
BY_KEY = {item.key: item.claim for item in ENTRIES}
each_claim = pytest.mark.parametrize("item", ENTRIES, ids=lambda item: item.key)


@each_claim
def test_the_file_begins_with_the_fact_and_its_argument(item):
    lines = (inspect.getdoc(catalogue.load("theory.claims", item.key)) or "").splitlines()
    assert lines[0].endswith("."), "the first line states the fact in one sentence"
    assert len(lines) > 3, "the argument follows"


@each_claim
def test_statement_and_source_are_told(item):
    claim = item.claim
    assert claim.statement.count("$") >= 2 and claim.statement.count("$") % 2 == 0
    assert claim.source.reference and claim.title
    assert not claim.title.endswith(".")


@each_claim
def test_a_stability_claim_names_its_notion_and_its_ascent(item):
    conventions = item.claim.conventions
    if conventions.notion is not Notion.NONE:
        assert "B = 1" in conventions.sampler or "batch" in conventions.sampler
    if isinstance(item.claim.domain, Family) and "rho" in item.claim.domain.names:
        assert conventions.normalised is False and conventions.ascent is not None


@each_claim
def test_repairs_are_linked_both_ways(item):
    claim = item.claim
    if claim.repaired_by:
        assert BY_KEY[claim.repaired_by].repairs == item.key
    if claim.repairs:
        assert BY_KEY[claim.repairs].repaired_by == item.key


@each_claim
def test_a_refuted_claim_names_its_repair(item):
    from proofs_check.library import recorded_verdict

    if recorded_verdict(item) == "REFUTED":
        assert item.claim.repaired_by


def test_claims_differ_from_each_other():
    assert len({fingerprint(claim) for claim in BY_KEY.values()}) == len(BY_KEY)


@each_claim
def test_the_exact_and_the_float_reading_agree(item):
    finding = readings.agree(item.claim)
    assert finding.outcome is Outcome.CONSISTENT, finding.sentence


@each_claim
def test_a_claim_file_imports_only_the_standard_library_at_its_top(item):
    import sys

    source = inspect.getsource(catalogue.load("theory.claims", item.key))
    for node in ast.parse(source).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            top = name.split(".")[0]
            assert top == "theory" or top in sys.stdlib_module_names
