"""The page: one HTML file that loads nothing, holds no script and is the same for the same rows.

Text is escaped by the template. The only markup written here is MathML, element by element from an
allow-list, because the LaTeX converter passes what stands inside `\\text` on as it is.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from proofs_check.output import strict
from theory.core import Verdict
from theory.domains import Family, matrix, rational
from theory.exact import Matrix

HERE = Path(__file__).parent
INLINE_WIDTH = 14  # em; what is wider scrolls on a line of its own, so that a phone can show it
STANDINGS = {
    "quoted": "quoted from the source",
    "reconstructed": "reconstructed: the source's result in our words",
    "our own": "our own statement",
}


def render(rows: list[dict[str, Any]]) -> str:
    """The page for rows of verify.json. Raises on a row that lacks a field."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    css = (HERE / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ids = _anchors([row["key"] for row in rows])
    found = [row["verdict"] for row in rows]
    return environment.get_template("page.html.j2").render(
        claims=[_claim(row, id_) for row, id_ in zip(rows, ids, strict=True)],
        anchors=dict(reversed([(row["key"], id_) for row, id_ in zip(rows, ids, strict=True)])),
        counts=[(verdict, found.count(verdict)) for verdict in Verdict if verdict in found],
        verdicts=list(Verdict),
        css=Markup(css),
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
    )


def _anchors(keys: Sequence[str]) -> list[str]:
    """Unique ids: the key itself wherever an id and a fragment can carry it.

    The page's own ids contain a dot, which no id made here does.
    """
    ids: list[str] = []
    for key in keys:
        name = id_ = re.sub(r"[^A-Za-z0-9_-]+", "-", key) or "-"
        count = 1
        while id_ in ids:
            count += 1
            id_ = f"{name}-{count}"
        ids.append(id_)
    return ids


def _claim(row: dict[str, Any], id_: str) -> dict[str, Any]:
    """What the template shows beside the row itself."""
    standing = row["source"]["standing"]
    return {
        "row": row,
        "id": id_,
        "verdict": Verdict(row["verdict"]),
        "statement": list(_pieces(row["statement"])),
        "standing": STANDINGS.get(standing, standing),
        "certificates": [
            _certificate(row["key"], certificate) for certificate in row["certificates"]
        ],
    }


def _certificate(key: str, certificate: dict[str, Any]) -> dict[str, Any]:
    text = strict(certificate["content"])
    return {
        "name": certificate["name"] or f"{key}.certificate.json",
        "found": certificate["name"] is None,
        "text": text,
        "href": "data:application/json," + quote(text, safe=""),
        "lines": list(_written_out(certificate["content"])),
    }


# --- prose and formulas --------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A stretch of a statement: prose, or a formula with what clings to it up to the next space."""

    text: str  # the prose, or the LaTeX
    formula: bool = False
    mathml: Any = None  # safe markup; None where the LaTeX could not be converted
    wide: bool = False
    clinging: str = ""


_FORMULA = re.compile(r"(?<!\\)(\$\$?)(.+?)(?<!\\)\1", re.DOTALL)
_CLINGING = re.compile(r"[^\s$]{0,20}(?=\s|$)")


def _pieces(statement: str) -> Iterator[Piece]:
    place = 0
    for match in _FORMULA.finditer(statement):
        yield Piece(statement[place : match.start()].replace(r"\$", "$"))
        rest = _CLINGING.match(statement, match.end())
        clinging = rest.group() if rest else ""
        place = match.end() + len(clinging)
        tree = _converted(match.group(2))
        if tree is None:
            yield Piece(match.group(2), formula=True, clinging=clinging)
        else:
            wide = match.group(1) == "$$" or _width(tree) > INLINE_WIDTH
            yield Piece(match.group(2), True, _markup(tree, wide), wide, clinging)
    yield Piece(statement[place:].replace(r"\$", "$"))


_TOKENS = {"mi", "mn", "mo", "mtext", "mspace"}
_ARITY = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
_ROWS = {"math", "mrow", "msqrt", "mstyle", "mpadded", "mphantom", "mtable", "mtr", "mtd"}
_LENGTH = r"0|-?[0-3]?(\.\d{1,4})?em"
_BOOLEAN = "true|false"
_ATTRIBUTES = {
    **dict.fromkeys(("lspace", "rspace", "width", "minsize", "maxsize", "linethickness"), _LENGTH),
    **dict.fromkeys(("stretchy", "fence", "accent", "accentunder", "displaystyle"), _BOOLEAN),
    "form": "prefix|infix|postfix",
    "mathvariant": "normal",
    "scriptlevel": "[0-3]",
}
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_UPRIGHT = re.compile(r"\\(?:mathrm|operatorname\*?)\{([A-Za-z]+)\}")
_ORDINARY = "∞∅⊤⊥"  # signs that are values, without the room an operator keeps around itself


def _converted(latex: str) -> ET.Element | None:
    """The formula as clean MathML, or None if the converter cannot read all of it."""
    from latex2mathml.converter import convert

    try:
        # the converter sets each letter of \mathrm apart, and a single one in italics
        return _clean(ET.fromstring(convert(_UPRIGHT.sub(r"\\operatorname{\1}", latex))))
    except Exception:  # noqa: BLE001 - it raises whatever its parser meets, StopIteration among them
        return None


def _clean(node: ET.Element) -> ET.Element:
    """A copy with allowed elements and attributes only; raises `ValueError` on any other element."""
    tag = node.tag.removeprefix(_NAMESPACE)
    if (node.tail or "").strip():
        raise ValueError("text between elements")
    attributes = {
        name: value
        for name, value in node.attrib.items()
        if name in _ATTRIBUTES and re.fullmatch(_ATTRIBUTES[name], value)
    }
    if tag in _TOKENS and not len(node):
        return _token(tag, node.text or "", attributes)
    if (node.text or "").strip() or len(node) != _ARITY.get(tag, len(node)):
        raise ValueError(f"{tag}: misplaced text or missing parts")
    if tag not in _ARITY and tag not in _ROWS:
        raise ValueError(f"{tag}: not an element of a formula")
    children = [_clean(child) for child in node]
    if tag == "msup":
        return _power(*children)
    if tag in ("math", "mrow", "mstyle"):
        children = _spaced(children)
    return _element(tag, *children, **attributes)


def _token(tag: str, text: str, attributes: dict[str, str]) -> ET.Element:
    """A leaf, as operator or identifier by what it is: the converter confuses some of them."""
    if re.match(r"\\[A-Za-z]", text):
        raise ValueError(f"{text}: a command the converter does not know")
    if tag == "mo" and re.fullmatch("[A-Za-z]+", text):
        tag = "mi"
        attributes = {"mathvariant": "normal"} if len(text) == 1 else {}
    elif text and text in _ORDINARY:
        tag = "mi"
    elif tag == "mi" and len(text) == 1 and _is_operator(text):
        tag = "mo"
    if tag == "mo" and text in "‖|/":
        attributes = attributes | {"lspace": "0", "rspace": "0"}
    return _element(tag, text=text, **attributes)


def _power(base: ET.Element, script: ET.Element) -> ET.Element:
    """A superscript, but for two that browsers draw badly.

    A prime is raised already; raised again it is lost. A bracket that grows with its row must stand
    in the row, like its partner, with the exponent behind it.
    """
    if script.tag == "mo" and (script.text or "") in "′″‴":
        return _element("mrow", base, script)
    if base.tag == "mo" and "minsize" in base.attrib:
        return _element("mrow", base, _element("msup", _element("mrow"), script))
    return _element("msup", base, script)


def _is_operator(sign: str) -> bool:
    return unicodedata.category(sign) in ("Sm", "Ps", "Pe") or sign in "′″‴"


def _spaced(children: Sequence[ET.Element]) -> list[ET.Element]:
    """A thin space between a name such as log and the letters beside it."""
    result: list[ET.Element] = []
    for child in children:
        beside = result[-1:] + [child]
        apart = {"mo", "mspace"} & {node.tag for node in beside}
        if len(beside) == 2 and any(map(_is_name, beside)) and not apart:
            result.append(_element("mspace", width="0.167em"))
        result.append(child)
    return result


def _is_name(node: ET.Element) -> bool:
    while node.tag in _ARITY and node.tag != "mfrac":
        node = node[0]
    return node.tag == "mi" and len(node.text or "") > 1


def _width(node: ET.Element) -> float:
    """Roughly how many em a formula takes, erring on the wide side."""
    if node.tag in _TOKENS:
        letters = 0.65 * len(node.text or "")
        roomy = node.tag == "mo" and "stretchy" not in node.attrib and "lspace" not in node.attrib
        return letters + 0.6 * roomy + 2 * (node.tag == "mspace")
    parts = [_width(child) for child in node]
    if node.tag in ("mfrac", "mtable", "munder", "mover", "munderover"):
        return max(parts, default=0) + 0.3
    if node.tag in _ARITY:
        return parts[0] + 0.75 * (max(parts[1:]) if node.tag == "msubsup" else sum(parts[1:]))
    return sum(parts) + 0.8 * (node.tag == "mtd")


def _element(
    tag: str, *children: ET.Element, text: str | None = None, **attributes: str
) -> ET.Element:
    node = ET.Element(tag, attributes)
    node.text = text
    node.extend(children)
    return node


def _markup(tree: ET.Element, display: bool) -> Any:
    from markupsafe import Markup

    if display:
        tree = _element("math", *tree, displaystyle="true")
    return Markup(ET.tostring(tree, encoding="unicode", short_empty_elements=False))


# --- certificates in numbers ---------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of a certificate written out: a few words, then formulas."""

    words: str
    formulas: tuple[Any, ...] = ()
    wide: bool = False


def _written_out(certificate: dict[str, Any]) -> Iterator[Line]:
    """The numbers of a witness, with every H_i = F_i'F_i computed exactly."""
    kind = certificate["kind"]
    if kind == "identity" and "point" in certificate:
        yield from _values("A point that meets every hypothesis:", certificate["point"])
    if kind not in ("family", "point"):
        return
    witness = certificate["witness"]
    if kind == "family":
        names = tuple(name for name in witness if name not in ("factors", "weights"))
        yield from _family(witness, names)
        yield from _values("Scalars:", {name: witness[name] for name in names})
    else:
        yield from _values("Witness:", witness)
    for number, help_ in enumerate(certificate["given"], start=1):
        if "lyapunov" in help_:
            words = f"Hypothesis {number} holds: P is positive definite and the second-moment"
            words += " operator T does not increase it (directions that never move left out)."
            yield _line(words, [_is("P", _matrix(matrix(help_["lyapunov"], "lyapunov")))])
    then = certificate["then"]
    if "vector" in then:
        words = "The conclusion, L ⪯ U, fails: v'Lv > v'Uv in this direction."
        yield _line(words, [_is("v", _matrix(matrix([[x] for x in then["vector"]], "vector")))])
    if "growth" in then:
        X = _is("X", _matrix(matrix(then["growth"], "growth")))
        factor = _is("c", _number(rational(then["factor"], "factor")))
        yield _line("The conclusion fails: T maps X to c X or more.", [X, factor])


def _family(witness: dict[str, Any], names: tuple[str, ...]) -> Iterator[Line]:
    model = Family(names).exact(witness)
    triples = zip(witness["factors"], model.samples, model.weights, strict=True)
    for i, (factor, sample, weight) in enumerate(triples, start=1):
        F, H = _indexed("F", i), _indexed("H", i)
        product = _element("mrow", H, _operator("="), F, _operator("′"), F)
        formulas = [
            _is(_indexed("p", i), _number(weight)),
            _is(F, _matrix(matrix(factor, "factors"))),
            _is(product, _matrix(sample)),
        ]
        yield _line(f"Sample {i}: weight, factor, Hessian.", formulas)
    total = _element("mrow", _symbol("H"), _operator("="), _operator("∑"), _indexed("p", "i"))
    total.append(_indexed("H", "i"))
    yield _line("Mean Hessian:", [_is(total, _matrix(model.H))])


def _values(words: str, values: dict[str, Any]) -> Iterator[Line]:
    if values:
        yield _line(words, [_is(name, _value(value, name)) for name, value in values.items()])


def _value(value: Any, name: str) -> ET.Element:
    if not isinstance(value, list):
        return _number(rational(value, name))
    rows = value if value and isinstance(value[0], list) else [[entry] for entry in value]
    return _matrix(matrix(rows, name))


def _line(words: str, sides: Sequence[ET.Element]) -> Line:
    trees = [_element("math", side) for side in sides]
    wide = any(_width(tree) > INLINE_WIDTH for tree in trees)
    return Line(words, tuple(_markup(tree, True) for tree in trees), wide)


def _is(left: str | ET.Element, right: ET.Element) -> ET.Element:
    left = _symbol(left) if isinstance(left, str) else left
    return _element("mrow", left, _operator("="), right)


def _symbol(name: str) -> ET.Element:
    """A variable as readers know it: eta is a Greek letter."""
    try:
        letter = {"lam": "lamda", "lambda": "lamda"}.get(name, name)
        name = unicodedata.lookup(f"GREEK SMALL LETTER {letter}")
    except KeyError:
        pass
    return _element("mi", text=name)


def _indexed(name: str, index: int | str) -> ET.Element:
    tag = "mn" if isinstance(index, int) else "mi"
    return _element("msub", _symbol(name), _element(tag, text=str(index)))


def _operator(sign: str) -> ET.Element:
    return _element("mo", text=sign)


def _number(value: Fraction) -> ET.Element:
    """p/q as a fraction, its sign in front."""
    size = _element("mn", text=str(abs(value.numerator)))
    if value.denominator != 1:
        size = _element("mfrac", size, _element("mn", text=str(value.denominator)))
    return size if value >= 0 else _element("mrow", _operator("−"), size)


def _matrix(value: Matrix) -> ET.Element:
    rows = [
        _element("mtr", *(_element("mtd", _number(entry)) for entry in row)) for row in value.rows
    ]
    table = _element("mtable", *rows)
    table.set("class", "matrix")
    return table
