"""The command line. Exit codes: 0 all as recorded, 1 a check failed or a verdict differs, 2 bad input,
130 interrupted.

Everything heavy is imported inside the commands, so that --help answers at once. `check` needs the
standard library only and is dispatched before the parser's own library is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts import App

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

HELP = """Checks the theory of sharpness-aware optimization: what a theorem says, what is exactly
true, what an optimizer really does.

Examples:

    flatproof verify --out out                 audit every claim, write verify.json and the page
    flatproof verify path/to/my_claim.py       audit a claim of your own the same way
    flatproof show second_moment_bound         a statement, its source and its recorded verdict
    flatproof check proofs_check/certificates/*.json      replay exact certificates
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run one command and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(words))


def run(words: list[str]) -> int:
    """Run one command; a user's mistake becomes one line on standard error and exit code 2."""
    from theory.core import InputError

    try:
        if words[:1] == ["check"] and not {"-h", "--help"} & set(words):
            return _check(words[1:])
        return _dispatch(words)
    except InputError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        print("flatproof: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED


def _complain(message: str) -> int:
    print("flatproof: " + " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _dispatch(words: list[str]) -> int:
    from cyclopts import CycloptsError

    try:
        result = _app()(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _complain(str(error))
    return result if isinstance(result, int) else 0


def _app() -> App:
    from cyclopts import App

    app = App(name="flatproof", help=HELP, help_format="plaintext", version=_version)
    for command in (claims, show, verify, check):
        app.command(command)
    return app


def _version() -> str:
    from importlib.metadata import version

    return version("flatproof")


def claims(*, json: str | None = None) -> int:
    """List every claim with its recorded verdict.

    Parameters
    ----------
    json
        Write a JSON list to this file instead; - is standard output.
    """
    from proofs_check import library, summary

    rows = [summary.describe(item) for item in library.entries()]
    if json is not None:
        _write_json(rows, json)
        return 0
    from proofs_check.report import tables

    tables.print_claims(rows)
    return 0


def show(key: str) -> int:
    """Print one claim: statement, source, conventions and recorded verdict.

    Parameters
    ----------
    key
        As listed by `flatproof claims`.
    """
    from proofs_check import library
    from proofs_check.report import tables

    tables.print_claim(library.entry(key))
    return 0


def verify(
    *targets: str,
    json: str | None = None,
    out: Path | None = None,
) -> int:
    """Audit claims: controls, certificates, simulation against exact values, search.

    Parameters
    ----------
    targets
        Keys of claims, or Python files that define CLAIM. Default: every shipped claim.
    json
        Write the audit as JSON to this file; - prints JSON alone.
    out
        Folder for verify.json, the page index.html and certificates found for your own claims.
    """
    from proofs_check import verification

    return verification.verify(targets, json=json, out=out)


def check(*certificates: Path, claim: Path | None = None) -> int:
    """Replay exact certificates with the standard library alone.

    Parameters
    ----------
    certificates
        Certificate files; each is matched to its claim by the hash it quotes.
    claim
        Your own claim file, if the certificates are about it.
    """
    words = [str(path) for path in certificates]
    return _check(words + (["--claim", str(claim)] if claim else []))


def _check(words: list[str]) -> int:
    """`flatproof check`, parsed by hand: not even the parser is needed to replay a certificate."""
    from proofs_check import library
    from proofs_check.checker import Rejected, read, replay
    from theory.core import InputError

    files, own = _split_check(words)
    chosen = None if own is None else library.entry_of_file(Path(own))
    if not files:
        raise InputError("CERT", "none", "at least one certificate file")
    for file in files:
        if not Path(file).is_file():
            raise InputError("CERT", repr(file), "an existing file")
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
            print(f"{file}: {item.key} {shown.verdict}: {shown.sentence}")
    return code


def _split_check(words: list[str]) -> tuple[list[str], str | None]:
    from theory.core import InputError

    files, own, rest = [], None, iter(words)
    for word in rest:
        if word == "--claim" or word.startswith("--claim="):
            own = word.partition("=")[2] or next(rest, None)
            if not own:
                raise InputError("--claim", "nothing", "a Python file that defines CLAIM")
        elif word.startswith("-") and word != "--":
            raise InputError("option", word, "--claim FILE")
        elif word != "--":
            files.append(word)
    return files, own


def _write_json(value: Any, target: str) -> None:
    from proofs_check import summary

    if target == "-":
        sys.stdout.write(summary.strict(value))
    else:
        write(Path(target), summary.strict(value))


def write(path: Path, text: str) -> None:
    """Write a file a user asked for; a place that cannot be written is their mistake to mend."""
    from theory.core import InputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("output", repr(str(path)), f"a writable place ({error.strerror})") from None
