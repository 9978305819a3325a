"""A hostile file is refused at once, with `Rejected` and nothing else."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check import cli, library
from proofs_check.certificate import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, number
from proofs_check.checker import FORMAT, Rejected, Replayed, read, replay
from theory.core import Verdict
from theory.fingerprint import fingerprint

SOON = 1.0  # seconds; the slowest refusal takes a quarter of that on a busy machine
SHIPPED = {path.stem: path.read_bytes() for path in sorted(library.CERTIFICATES.glob("*.json"))}
CLAIMS = {entry.key: entry.claim for entry in library.entries()}
REFUTED = "second_moment_bound"
ETA = json.loads(SHIPPED[REFUTED])["witness"]["eta"]


def with_number(text: str) -> bytes:
    """A certificate that would be accepted if its eta were spelled as it is shipped."""
    certificate = json.loads(SHIPPED[REFUTED])
    certificate["witness"]["eta"] = "HERE"
    return json.dumps(certificate).replace('"HERE"', text).encode()


def refusal(path: Path) -> str:
    """The message a file is refused with, in good time."""
    start = time.perf_counter()
    with pytest.raises(Rejected) as caught:
        replay(read(path), CLAIMS[REFUTED])
    assert time.perf_counter() - start < SOON
    assert type(caught.value) is Rejected
    return str(caught.value)


HOSTILE = {
    "an empty file": (b"", "not JSON"),
    "blank": (b" \n", "not JSON"),
    "half a file": (SHIPPED[REFUTED][:-10], "not JSON"),
    "more after the end": (SHIPPED[REFUTED] + b"{}", "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + SHIPPED[REFUTED], "BOM"),
    "invalid UTF-8": (SHIPPED[REFUTED].replace(b"eta", b"et\xff"), "UTF-8"),
    "an overlong slash": (SHIPPED[REFUTED].replace(b"/", b"\xc0\xaf"), "UTF-8"),
    "an encoded surrogate": (SHIPPED[REFUTED].replace(b"eta", b"\xed\xa0\x80"), "UTF-8"),
    "UTF-16": (SHIPPED[REFUTED].decode().encode("utf-16"), "UTF-8"),
    "UTF-32": (SHIPPED[REFUTED].decode().encode("utf-32-be"), "not JSON"),
    "Python code": (b"__import__('os').system('true')", "not JSON"),
    "a pickle": (b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K*.", "UTF-8"),
    "a comment": (b"// hello\n" + SHIPPED[REFUTED], "not JSON"),
    "single quotes": (SHIPPED[REFUTED].replace(b'"', b"'"), "not JSON"),
    "a list": (b"[" + SHIPPED[REFUTED] + b"]", "certificate: expected an object"),
    "a string": (b'"certificate"', "certificate: expected an object"),
    "nothing": (b"null", "certificate: expected an object"),
    "a truth": (b"true", "certificate: expected an object"),
    "a doubled key": (b'{"kind": "identity", "kind": "family"}', "appears twice"),
    "a doubled key, escaped": (b'{"kind": "identity", "k\\u0069nd": "family"}', "appears twice"),
    "a doubled key, deep down": (with_number('{"a": [], "a": []}'), "appears twice"),
    "a million brackets": (b"[" * 1_000_000, "nested deeper"),
    "deep lists": (b"[" * 10**5 + b"]" * 10**5, "nested deeper"),
    "deep objects": (b'{"":' * 10**5 + b"null" + b"}" * 10**5, "nested deeper"),
    "deep lists behind closing brackets in a string": (
        b'["' + b"]" * 10**5 + b'",' + b"[" * 10**5 + b"]" * 10**5 + b"]",
        "nested deeper",
    ),
    "deep lists behind an escaped quote": (
        b'["\\"' + b"]" * 10**5 + b'",' + b"[" * 10**5 + b"]" * 10**5 + b"]",
        "nested deeper",
    ),
    "deep lists behind strings at every level": (b'["]",' * 10**5 + b"0", "nested deeper"),
    "a string without an end": (b'"' + b'\\"' * 400_000, "not JSON"),
    "brackets in a string nest nothing": (b'{"' + b"[" * 10**5 + b'": "1"}', "expected the keys"),
    "a bare integer": (with_number("1"), "bare number"),
    "a bare decimal": (with_number("1.1"), "bare number 1.1;"),
    "a bare exponent": (with_number("1e400"), "bare number 1e400;"),
    "minus nothing": (with_number("-0"), "bare number -0;"),
    "not a number": (with_number("NaN"), "bare number NaN;"),
    "infinity": (with_number("Infinity"), "bare number Infinity;"),
    "minus infinity": (with_number("-Infinity"), "bare number -Infinity;"),
    "a bare million digits": (b"9" * 999_999, "bare number 99999999999999999999;"),
    "a leading zero": (with_number("01"), "bare number 0;"),
    "null for a number": (with_number("null"), "numbers are strings"),
    "true for a number": (with_number("true"), "numbers are strings"),
    "a list for a number": (with_number('["11/10"]'), "numbers are strings"),
    "an object for a number": (with_number("{}"), "numbers are strings"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_at_once(tmp_path, content, message):
    path = tmp_path / "certificate.json"
    path.write_bytes(content)
    assert message in refusal(path)


SPELLINGS = [
    "",
    " ",
    "1/0",
    "0/1",
    "0/0",
    "-0",
    "01",
    "1/01",
    "+1",
    "1/2 ",
    " 1/2",
    "1/2\n",
    "1 /2",
    "1/-2",
    "--1",
    "1//2",
    "1/2/3",
    "/2",
    "1/",
    "2/4",
    "5/1",
    "-4/2",
    "0x1",
    "1_000",
    "1.1",
    "1e1",
    "1e999999999",
    "inf",
    "nan",
    "eta",
    "11,10",
    "\u0661",  # an Arabic digit
    "\uff11",  # a full-width digit
    "\u00bd",  # a half in one letter
    "1\u20442",  # a fraction slash
    "\u22121",  # a minus sign
    "1\u0000",
    "1" * (MAX_DIGITS + 1),
    "-" + "1" * (MAX_DIGITS + 1),
    "1/" + "3" * (MAX_DIGITS + 1),
    "1" * 5000,  # more than Python converts by itself
    "1/" + "7" * 5000,
    "1" * 900_000,
    "1 + 1",
    "__import__('os')",
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda s: ascii(s[:20]))
def test_a_number_has_one_spelling(tmp_path, spelling):
    path = tmp_path / "certificate.json"
    path.write_bytes(with_number(json.dumps(spelling)))
    assert "'eta'" in refusal(path)


@pytest.mark.parametrize(
    "spelling", [ETA, "9" * MAX_DIGITS, "-" + "9" * MAX_DIGITS + "/1" + "0" * (MAX_DIGITS - 1)]
)
def test_a_number_of_the_greatest_length_is_read(tmp_path, spelling):
    path = tmp_path / "certificate.json"
    path.write_bytes(with_number(json.dumps(spelling)))
    assert number(read(path)["witness"]["eta"], "eta") == Fraction(spelling)


def test_the_frame_of_the_number_tests_is_accepted_as_it_stands(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_bytes(with_number(json.dumps(ETA)))
    assert replay(read(path), CLAIMS[REFUTED]).verdict is Verdict.REFUTED


def test_a_gigabyte_is_refused_unread(tmp_path):
    path = tmp_path / "certificate.json"
    path.touch()
    os.truncate(path, 2**30)
    tracemalloc.start()
    try:
        assert "larger than" in refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_BYTES  # what was read, as bytes and as text


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_bytes(SHIPPED[REFUTED].ljust(MAX_BYTES))
    assert replay(read(path), CLAIMS[REFUTED]).verdict is Verdict.REFUTED
    path.write_bytes(SHIPPED[REFUTED].ljust(MAX_BYTES + 1))
    assert "larger than" in refusal(path)


def test_the_deepest_nesting_is_read_and_one_more_is_not(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text('{"": ' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}")
    assert list(read(path)) == [""]
    path.write_text('{"": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}")
    assert "nested deeper" in refusal(path)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("special", ["nowhere", "folder", "pipe", "loop", "/dev/zero", "/dev/null"])
def test_what_is_not_a_regular_file_is_never_opened(tmp_path, special):
    """Opening a pipe without a writer would wait for ever, reading /dev/zero would never end."""
    path = Path(special) if special.startswith("/") else tmp_path / special
    if special == "folder":
        path.mkdir()
    elif special == "pipe":
        os.mkfifo(path)
    elif special == "loop":
        path.symlink_to(path)
    assert refusal(path).startswith("file: ")


@pytest.mark.parametrize("name", ["x\nother.json: PROVED", "\x1b[2Jx", "\ud800", "\u202ex"])
def test_no_text_of_a_certificate_reaches_the_terminal_unquoted(tmp_path, capsys, name):
    """A line break in a name could otherwise print a verdict of its own."""
    certificate = json.loads(SHIPPED[REFUTED])
    certificate["witness"][name] = "x"
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate))
    assert cli.run(["check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1 and printed[:-1].isprintable()
    certificate["witness"][name] = "1"
    path.write_text(json.dumps(certificate))
    assert cli.run(["check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1 and printed[:-1].isprintable()


# --- fuzzing --------------------------------------------------------------------------------------

WORDS = [
    "format",
    "claim",
    "kind",
    "witness",
    "given",
    "then",
    "point",
    "steps",
    "positive",
    "cofactors",
    "polynomial",
    "lyapunov",
    "growth",
    "factor",
    "vector",
    "atom",
    "factors",
    "weights",
    "eta",
    "rho",
    "alpha",
    "beta",
    "lam",
    "mu",
    "w",
    "mult",
    "H",
    "x",
    "v",
    "e",
    "r",
]
NUMBERS = st.builds(lambda p, q: str(Fraction(p, q)), st.integers(-3, 9), st.integers(1, 4))
TEXTS = st.one_of(NUMBERS, st.sampled_from([*WORDS, "family", FORMAT]), st.text(max_size=3))
VALUES = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans()),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=2)), inside, max_size=4),
    ),
    max_leaves=12,
)


def places(value, path=()):
    """Every path into a nested value."""
    yield path
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from places(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


@st.composite
def mutated(draw):
    """A shipped certificate with one to three values replaced, dropped or taken from elsewhere."""
    key = draw(st.sampled_from(sorted(SHIPPED)))
    certificate = json.loads(SHIPPED[key])
    for _ in range(draw(st.integers(1, 3))):
        kept = ("format", "claim")
        inside = [path for path in places(certificate) if path and path[0] not in kept]
        path = draw(st.sampled_from(inside))
        new = draw(st.one_of(VALUES, NUMBERS, st.sampled_from(inside)))
        if isinstance(new, tuple):  # the value of another place
            value = certificate
            for step in new:
                value = value[step]
            new = value
        certificate = replaced(certificate, path, new)
    return key, certificate


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "certificate.json"


def decided(path: Path, claim) -> Replayed | None:
    """The verdict of a replay, or None for a rejection; any other exception fails the test."""
    try:
        shown = replay(read(path), claim)
    except Rejected:
        return None
    assert shown.verdict in (Verdict.PROVED, Verdict.REFUTED)
    return shown


@settings(derandomize=True, deadline=None, max_examples=300)
@given(mutated())
def test_a_mutated_certificate_is_replayed_or_rejected(scratch, pair):
    key, certificate = pair
    scratch.write_text(json.dumps(certificate))
    decided(scratch, CLAIMS[key])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from(sorted(CLAIMS)), st.sampled_from(["family", "point", "identity"]), VALUES)
def test_arbitrary_content_under_the_right_hash_shows_nothing(scratch, key, kind, content):
    """Only the identity between operators needs no content, so it is left out."""
    head = {"format": FORMAT, "claim": fingerprint(CLAIMS[key]), "kind": kind}
    body = content if isinstance(content, dict) else {"witness": content, "given": [], "then": {}}
    certificate = body | head
    scratch.write_text(json.dumps(certificate))
    if certificate == json.loads(SHIPPED.get(key, b"null")):
        return
    assert decided(scratch, CLAIMS[key]) is None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode())))
def test_arbitrary_bytes_are_rejected(scratch, content):
    scratch.write_bytes(content)
    assert decided(scratch, CLAIMS[REFUTED]) is None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.sampled_from(sorted(SHIPPED)), st.integers(0, 10**6), st.binary(max_size=3))
def test_overwritten_bytes_are_replayed_or_rejected(scratch, key, place, new):
    content = SHIPPED[key]
    place %= len(content)
    scratch.write_bytes(content[:place] + new + content[place + len(new) :])
    decided(scratch, CLAIMS[key])
