"""The page shows every claim, resolves its own links and lets nothing in a row become markup."""

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pytest
from jinja2 import UndefinedError

from proofs_check import engine, library, summary
from proofs_check.report.page import render
from theory.core import Verdict

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
HTML = """html head meta title style body a header h1 h2 h3 p ul li span nav main section dl div dt
    dd strong code pre details summary"""
MATHML = """math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover
    mstyle mpadded mphantom mtable mtr mtd"""
ATTRIBUTES = """lang charset http-equiv content name class id href download role tabindex aria-label
    aria-labelledby displaystyle scriptlevel stretchy fence form minsize maxsize lspace rspace width
    accent mathvariant"""


class Reader(HTMLParser):
    """What a browser would make of the page: start tags with attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def synthetic(**changes):
    """A row with every field, as a proof by expansion leaves it."""
    return {
        "key": "a_claim",
        "title": "A fact",
        "paper": "P1",
        "kind": "exact",
        "notion": "mean-square",
        "verdict": "AGREES",
        "recorded": "AGREES",
        "meaning": Verdict.AGREES.sentence,
        "statement": r"If $\eta < 1$ then $\|x\| \le \tfrac12$.",
        "source": {"paper": "P1", "reference": "A. Author 2020", "standing": "quoted"},
        "conventions": {"notion": "mean-square"},
        "conventions_line": "any batch",
        "hash": "0" * 64,
        "deciding": "no violation found",
        "tightness": "attained",
        "evidence": [
            {"check": "search", "outcome": "supports", "sentence": "none", "certificate": None}
        ],
        "certificates": [],
        "trusted_lemmas": ["Sums are linear."],
        "repaired_by": None,
        "repairs": None,
        "recheck": ["flatproof verify a_claim"],
    } | changes


@pytest.fixture(scope="module")
def audited():
    item = library.entry("third_moment_order")
    report = engine.audit(item.key, item.claim, item.certificates, lambda: None)
    return json.loads(json.dumps(summary.summarise(item, report)))


def only_inert(page: str) -> Reader:
    """Asserts that the page holds expected elements and attributes only and loads nothing."""
    read = Reader(page)
    assert {tag for tag, _ in read.tags} <= {*HTML.split(), *MATHML.split()}
    assert {name for _, attributes in read.tags for name in attributes} <= set(ATTRIBUTES.split())
    assert all(href.startswith(("#", "data:application/json,")) for href in read.all("href"))
    css = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
    assert not re.search(r"url\(|@import|image-set|http", css)
    return read


# --- what it shows -------------------------------------------------------------------------------


def test_a_real_refutation_is_written_out(audited):
    read = only_inert(render([audited]))
    for words in (
        audited["title"],
        audited["meaning"],
        audited["source"]["reference"],
        "reconstructed",
        audited["conventions_line"],
        audited["deciding"],
        audited["tightness"],
        *(finding["sentence"] for finding in audited["evidence"]),
        *audited["recheck"],
        audited["repaired_by"],
    ):
        assert words in read.text
    assert "H1=F1′F1=4221" in read.text  # F_1 has the row (2, 1)
    assert "H=∑piHi=521112" in read.text  # the rows (5/2, 1) and (1, 1/2)
    assert "p1=12" in read.text  # one half, as a fraction
    assert "Differs" not in read.text


def test_the_download_is_the_certificate(audited):
    (certificate,) = audited["certificates"]
    read = Reader(render([audited]))
    (href,) = [href for href in read.all("href") if href.startswith("data:")]
    text = unquote(href.removeprefix("data:application/json,"))
    assert json.loads(text) == certificate["content"]
    assert read.all("download") == [certificate["name"]]
    assert text in read.text


def test_scalar_and_operator_witnesses_are_written_out():
    content = {
        "format": "flatproof-certificate-1",
        "claim": "0",
        "kind": "point",
        "witness": {"eta": "-3/2", "H": [["1", "2"], ["2", "5"]], "x": ["7", "8"]},
        "given": [{"lyapunov": [["4"]]}],
        "then": {"atom": "0", "growth": [["6"]], "factor": "9/8"},
    }
    row = synthetic(certificates=[{"name": None, "content": content}], repairs="elsewhere")
    read = only_inert(render([row]))
    assert "η=−32" in read.text
    assert "H=1225" in read.text
    assert "x=78" in read.text
    assert "P=4" in read.text
    assert "X=6" in read.text
    assert "c=98" in read.text
    assert read.all("download") == ["a_claim.certificate.json"]
    assert "found by this audit" in read.text


def test_the_point_of_an_identity_is_shown():
    content = {
        "format": "f",
        "claim": "0",
        "kind": "identity",
        "point": {"lam": "5/3"},
        "steps": [],
    }
    read = only_inert(render([synthetic(certificates=[{"name": "a.json", "content": content}])]))
    assert "λ=53" in read.text


def test_a_verdict_other_than_the_recorded_one_is_said():
    assert "Differs from the record" in Reader(render([synthetic(recorded="PROVED")])).text
    assert "Differs from the record" not in Reader(render([synthetic(recorded=None)])).text


def test_every_verdict_is_explained_and_those_found_are_counted():
    rows = [synthetic(key=f"k{i}", verdict=v) for i, v in enumerate(["PROVED", "AGREES", "AGREES"])]
    read = Reader(render(rows))
    assert all(verdict.sentence in read.text for verdict in Verdict)
    counted = re.sub(r"\s+", " ", read.text)
    assert "3 claims audited here: 1 PROVED 2 AGREES All claims" in counted


def test_no_row_is_a_page_too():
    assert "0 claims" in only_inert(render([])).text


# --- links ---------------------------------------------------------------------------------------


def test_every_row_has_its_anchor_and_links_resolve():
    rows = [
        synthetic(key="bound", repaired_by="better", repairs="not_on_this_page"),
        synthetic(key="better", repairs="bound"),
    ]
    read = Reader(render(rows))
    ids = read.all("id")
    assert {"bound", "better"} <= set(ids)
    assert len(set(ids)) == len(ids)
    links = [href.removeprefix("#") for href in read.all("href")]
    assert set(links) <= set(ids)
    assert links.count("better") == links.count("bound") == 2  # the overview and the other claim
    assert "not_on_this_page" in read.text


@pytest.mark.parametrize("key", ["a b", "ä/ö", "#", "page.main", "a\u00a0b", "%41", SCRIPT, IMAGE])
def test_any_key_gets_an_anchor(key):
    read = only_inert(render([synthetic(key=key), synthetic(key=key)]))
    ids = read.all("id")
    assert len(set(ids)) == len(ids) == 4  # the page's own two, and two sections
    assert {href.removeprefix("#") for href in read.all("href")} <= set(ids)
    assert not any(re.search(r"\s", id_) for id_ in ids)


def test_headings_descend_one_level_at_a_time(audited):
    levels = [int(t[1]) for t, _ in Reader(render([audited])).tags if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


# --- formulas ------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", library.entries(), ids=lambda item: item.key)
def test_every_formula_of_a_shipped_claim_becomes_mathml(item):
    statement = item.claim.statement
    read = only_inert(render([synthetic(statement=statement)]))
    assert read.count("math") == statement.count("$") // 2
    assert "$" not in read.text
    assert "\\" not in read.text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\mathrm{Var}_i(v)", "Vari(v)"),
        (r"\lambda_{\max}\big(H\big)^2", "λmax(H)2"),
        (r"\log x", "logx"),
        (r"x'Hx \preceq \tfrac{\rho}{2}", "x′Hx⪯ρ2"),
        (r"\begin{matrix}1&2\\3&4\end{matrix}", "1234"),
        (r"\text{if } x < y", "if\u00a0x<y"),
    ],
)
def test_formulas_keep_their_symbols(latex, text):
    read = only_inert(render([synthetic(statement=f"Say ${latex}$.")]))
    assert read.count("math") == 1
    assert f"Say {text}." in read.text


def test_names_and_relations_are_marked_up_as_such():
    page = render([synthetic(statement=r"$\mathrm{E}\, \mathrm{Var} \succeq \max \infty$")])
    assert '<mi mathvariant="normal">E</mi>' in page
    assert "<mi>Var</mi>" in page
    assert "<mo>⪰</mo>" in page
    assert "<mi>max</mi>" in page
    assert "<mi>∞</mi>" in page


@pytest.mark.parametrize(
    "latex",
    [
        r"\unknown x",
        r"\frac{1}",
        "{",
        r"\left(",
        r"\big",
        " ",
        "\x00",
        r"a & b",
        rf"\text{{{SCRIPT}}}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{<b>bold</b>}",
        r"\text{<mi>x</mi>}",
        r"\text{</mtext></mrow></math><script>alert(1)</script>}",
        r'\text{<s:script xmlns:s="http://www.w3.org/1999/xhtml">alert(1)</s:script>}',
        r"\text{<annotation-xml encoding='text/html'><p>x</p></annotation-xml>}",
        r"\text{&lol;}",
        "{" * 3000 + "x" + "}" * 3000,
    ],
)
def test_latex_that_does_not_convert_is_shown_as_text(latex):
    read = only_inert(render([synthetic(statement=f"So ${latex}$, then.")]))
    assert read.count("math") == 0
    assert f"So {latex}, then." in read.text


@pytest.mark.parametrize(
    "latex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(http://x.example)}{x}",
        r"\class{badge proved}{x}",
        r'\color{red" onclick="alert(1)}{x}',
        r"\unicode{x3c}script\unicode{x3e}",
        r"\text{<!-- --><mi href='javascript:alert(1)'>x</mi>}",
        r"\rule{10000em}{2em}",
        r"\hspace{99999px}",
        SCRIPT,
        IMAGE,
    ],
)
def test_hostile_latex_is_inert(latex):
    page = render([synthetic(statement=f"So ${latex}$, then.")])
    only_inert(page)
    assert page.count("http") == page.count("http-equiv")


@pytest.mark.parametrize(
    "statement", ["costs 5$ or so", r"costs \$5 and \$6", "", "$", "a $x$ b $"]
)
def test_a_lone_dollar_stays_a_dollar(statement):
    read = only_inert(render([synthetic(statement=statement)]))
    assert read.text.count("$") == statement.count("$") - 2 * ("$x$" in statement)


def test_wide_formulas_scroll_and_can_be_reached_by_keyboard():
    statement = "Always $" + " + ".join(f"x_{{{i}}}" for i in range(30)) + "$, yes."
    boxes = [a for _, a in Reader(render([synthetic(statement=statement)])).tags if "tabindex" in a]
    assert [a for a in boxes if a.get("class") == "scroll" and a["tabindex"] == "0"]
    assert all("aria-label" in a for a in boxes if a.get("class") == "scroll")


# --- hostile rows, missing fields, stable bytes --------------------------------------------------


def texts(value, path=()):
    """The place of every string in a row."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from texts(value[key], (*path, key))


@pytest.mark.parametrize(
    "attack", [SCRIPT, IMAGE, "</title></style><script>", "{{ 7*7 }}", "a\x00"]
)
def test_hostile_strings_are_inert_wherever_they_stand(audited, attack):
    row = synthetic(repaired_by="x", repairs="y", deciding="z", recorded="PROVED")
    row["certificates"] = copy.deepcopy(audited["certificates"])
    places = [place for place in texts(row) if place[0] != "verdict" and "content" not in place]
    places += [("certificates", 0, "content", "claim"), ("certificates", 0, "content", "format")]
    assert len(places) > 20
    for place in places:
        inner = row
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = attack
    row["certificates"][0]["content"]["witness"][attack] = "1/2"
    read = only_inert(render([row]))
    assert "49" not in read.text.replace("149", "")
    assert read.text.count(attack) >= 10


@pytest.mark.parametrize("field", sorted(synthetic().keys() - {"paper", "conventions"}))
def test_a_missing_field_is_an_error(field):
    row = synthetic()
    del row[field]
    with pytest.raises((KeyError, UndefinedError), match=field):
        render([row])


def test_the_same_rows_give_the_same_bytes(audited):
    rows = [audited, synthetic()]
    assert render(rows) == render(json.loads(json.dumps(rows)))


def test_the_policy_allows_this_style_and_nothing_else():
    page = render([synthetic()])
    (policy,) = [
        attributes["content"]
        for _, attributes in Reader(page).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    css = re.search("<style>(.*?)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
