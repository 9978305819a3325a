"""Prose with LaTeX formulas becomes text and MathML, element by element from an allow-list.

The converter passes what stands inside `\\text` on as it is, so nothing it writes is trusted: its
output is parsed, rebuilt and serialised again; what does not fit stays LaTeX, shown as code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

INLINE_WIDTH = 14  # em; what is wider scrolls on a line of its own, so that a phone can show it


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


def pieces(statement: str) -> Iterator[Piece]:
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
            wide = match.group(1) == "$$" or width(tree) > INLINE_WIDTH
            yield Piece(match.group(2), True, markup(tree, wide), wide, clinging)
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
    except Exception:
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
    return element(tag, *children, **attributes)


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
    return element(tag, text=text, **attributes)


def _power(base: ET.Element, script: ET.Element) -> ET.Element:
    """A superscript, but for two that browsers draw badly.

    A prime is raised already; raised again it is lost. A bracket that grows with its row must stand
    in the row, like its partner, with the exponent behind it.
    """
    if script.tag == "mo" and (script.text or "") in "′″‴":
        return element("mrow", base, script)
    if base.tag == "mo" and "minsize" in base.attrib:
        return element("mrow", base, element("msup", element("mrow"), script))
    return element("msup", base, script)


def _is_operator(sign: str) -> bool:
    return unicodedata.category(sign) in ("Sm", "Ps", "Pe") or sign in "′″‴"


def _spaced(children: Sequence[ET.Element]) -> list[ET.Element]:
    """A thin space between a name such as log and the letters beside it."""
    result: list[ET.Element] = []
    for child in children:
        beside = [*result[-1:], child]
        apart = {"mo", "mspace"} & {node.tag for node in beside}
        if len(beside) == 2 and any(map(_is_name, beside)) and not apart:
            result.append(element("mspace", width="0.167em"))
        result.append(child)
    return result


def _is_name(node: ET.Element) -> bool:
    while node.tag in _ARITY and node.tag != "mfrac":
        node = node[0]
    return node.tag == "mi" and len(node.text or "") > 1


def width(node: ET.Element) -> float:
    """Roughly how many em a formula takes, erring on the wide side."""
    if node.tag in _TOKENS:
        letters = 0.65 * len(node.text or "")
        roomy = node.tag == "mo" and "stretchy" not in node.attrib and "lspace" not in node.attrib
        return letters + 0.6 * roomy + 2 * (node.tag == "mspace")
    parts = [width(child) for child in node]
    if node.tag in ("mfrac", "mtable", "munder", "mover", "munderover"):
        return max(parts, default=0) + 0.3
    if node.tag in _ARITY:
        return parts[0] + 0.75 * (max(parts[1:]) if node.tag == "msubsup" else sum(parts[1:]))
    return sum(parts) + 0.8 * (node.tag == "mtd")


def element(
    tag: str, *children: ET.Element, text: str | None = None, **attributes: str
) -> ET.Element:
    node = ET.Element(tag, attributes)
    node.text = text
    node.extend(children)
    return node


def markup(tree: ET.Element, display: bool) -> Any:
    from markupsafe import Markup

    if display:
        tree = element("math", *tree, displaystyle="true")
    return Markup(ET.tostring(tree, encoding="unicode", short_empty_elements=False))
