"""`flatproof`: exit codes, one-line errors, and `check`, which needs the standard library only.

Exit codes: 0 all as recorded, 1 a check failed or a verdict differs, 2 bad input, 3 results damaged
or incomplete, 130 interrupted.
Every other command lives in `commands`, whose parser is imported only when one is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from theory.core import InputError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run one command and exit with its code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(words: list[str]) -> int:
    """Run one command; a user's mistake becomes one line on standard error and exit code 2."""
    try:
        if words[:1] == ["check"] and not {"-h", "--help"} & set(words):
            return check(words[1:])
        from proofs_check import commands

        return commands.dispatch(words)
    except InputError as error:
        print("flatproof: " + " ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("flatproof: interrupted", file=sys.stderr)
        return INTERRUPTED


def check(words: list[str]) -> int:
    """Replay certificates; one line each. Parsed by hand: not even a parser is needed to replay."""
    from proofs_check import library
    from proofs_check.checker import Rejected, read, replay

    files, own = _split(words)
    chosen = None if own is None else library.entry_of_file(Path(own))
    code = 0
    for file in files:
        try:
            certificate = read(Path(file))
            item = chosen or library.by_hash(certificate.get("claim"))
            if item is None:
                raise Rejected("claim: no shipped claim has this hash (for your own: --claim FILE)")
            shown = replay(certificate, item.claim)
        except Rejected as error:
            print(f"{file}: rejected: {error}")
            code = FAILED
        else:
            print(f"{file}: {item.key} {shown.verdict}: {shown.told}")
    return code


def _split(words: list[str]) -> tuple[list[str], str | None]:
    """The certificate files and the value of --claim."""
    files, own, rest = [], None, iter(words)
    for word in rest:
        if word == "--claim" or word.startswith("--claim="):
            own = word.partition("=")[2] or next(rest, None)
            if not own:
                raise InputError("--claim", "nothing", "a Python file that defines CLAIM")
        elif word == "--":
            files.extend(rest)
        elif word.startswith("-"):
            raise InputError("option", word, "--claim FILE")
        else:
            files.append(word)
    if not files:
        raise InputError("CERT", "none", "at least one certificate file")
    for file in files:
        if not os.path.isfile(file):  # Path.is_file raises on a name that is too long
            raise InputError("CERT", repr(file[:200]), "an existing file")
    return files, own
