"""A JSON file from elsewhere is strict, small, shallow and finite, or refused by name."""

import json

import pytest

from proofs_check import cli, json_file
from theory.core import InputError

DEEP = b"[" * 16 + b"]" * 16


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "file: got not JSON"),
        (b"{", "file: got not JSON"),
        (b"\xef\xbb\xbf{}", "file: got not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' twice"),
        (b'{"\\u001b": 1, "\\u001b": 1}', r"'\x1b' twice"),
        (b'{"a": [0, NaN]}', "a[1]: got nan"),
        (b'{"a": {"b": -Infinity}}', "a.b: got -inf"),
        (b"[1e999]", "[0]: got inf"),
        (b"[" + b"9" * 5000 + b"]", "[0]: got inf"),
        (b"NaN", "file: got nan"),
        (b'{"\\u001b[2J": NaN}', r"\x1b[2J: got nan"),
        (b"[" * 100_000, "deep nesting"),
        (b"[" + DEEP + b"]", "deep nesting"),
        (b" " * 100_001, "more than 100000 bytes"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else None,
)
def test_what_is_refused_is_named(content, told, tmp_path):
    path = tmp_path / "it.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        json_file.read(path, max_bytes=100_000)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", ['{"a": [1, -2.5, true, null, "x"], "b": {}}', "3", DEEP.decode()])
def test_all_other_json_is_read_as_it_is(text, tmp_path):
    path = tmp_path / "it.json"
    path.write_text(text, encoding="utf-8")
    assert json_file.read(path, len(text)) == json.loads(text)


def test_integers_beyond_64_bits_become_floats(tmp_path):
    path = tmp_path / "it.json"
    path.write_text("[123456789012345678, 12345678901234567890]", encoding="utf-8")
    small, large = json_file.read(path, 100)
    assert (type(small), type(large)) == (int, float)


def test_what_is_no_regular_file_is_refused_without_being_opened(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(InputError, match="an existing file"):
            json_file.read(path, 100)
    with pytest.raises(InputError, match="a readable file"):
        json_file.read(tmp_path / ("x" * 300), 100)


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], "file"), (["a", 0, 1, "b"], "a[0][1].b"), ([3], "[3]"), (["é" * 90], "\\xe9" * 20)],
)
def test_a_place_reads_like_an_expression(parts, said):
    assert json_file.place(parts) == said


def test_on_the_command_line_it_is_one_line(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "none.json"):
        assert cli.run(["replay", str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith(f"flatproof: {path}: file: got ")
