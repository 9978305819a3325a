"""In Chromium, offline, the page requests nothing, fits a phone, lays out its formulas and reads
well in light and dark.
"""

import json
import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from proofs_check import engine, library, summary
from proofs_check.report.page import render
from sims.lab import Lab
from theory.core import Verdict

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = [360, 1280]
AA = 4.5  # WCAG 2 contrast of normal text, level AA

# Elements that reach past the window although none of their ancestors scrolls.
STICKING_OUT = """() => [...document.body.querySelectorAll('*')].filter(element => {
  if (element.closest('.scroll') && !element.matches('.scroll')) return false;
  if (element.matches('.skip')) return false;
  const box = element.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(element => element.outerHTML.slice(0, 200))"""

# The colours of each kind of text with the first opaque background behind it.
COLOURS = """selector => [...document.querySelectorAll(selector)].map(element => {
  let behind = element;
  const clear = 'rgba(0, 0, 0, 0)';
  while (behind && getComputedStyle(behind).backgroundColor === clear) behind = behind.parentElement;
  return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
})"""


def shown() -> list[dict]:
    """One audited refutation, and made-up rows for every verdict, wide and hostile contents."""
    rows = []
    for key in ("third_moment_order", "second_moment_bound"):
        item = library.entry(key)
        report = engine.audit(item.key, item.claim, item.certificates, Lab)
        rows.append(json.loads(json.dumps(summary.summarise(item, report))))
    rows += [
        rows[0] | {"key": verdict.lower(), "verdict": verdict.value, "recorded": "PROVED"}
        for verdict in Verdict
    ]
    statements = [entry.claim.statement for entry in library.entries()]
    wide = " + ".join(rf"\frac{{x_{{{i}}}^2}}{{\lambda_{{\max}}(H)}}" for i in range(60))
    hostile = r"$\text{<script>alert(1)</script>}$ $\href{javascript:alert(1)}{x}$ <img src=x>"
    narrow = rf"${'a' * 500}$, ${wide}$-like, $\text{{{'long ' * 99}}}$ and {'b' * 500} {hostile}"
    for i, statement in enumerate([*statements, narrow]):
        rows.append(rows[0] | {"key": f"statement_{i}", "statement": statement})
    content = json.loads(json.dumps(rows[0]["certificates"][0]["content"]))
    content["witness"]["factors"] = [[[f"{i * j}/{10**30 + 1}" for i in range(12)]] for j in (1, 7)]
    large = {"name": "l" * 300 + ".json", "content": content}
    rows.append(rows[0] | {"key": "k" * 300, "title": "t" * 300, "certificates": [large]})
    rows[-1] |= {"recheck": [f"flatproof verify {'f' * 300}"]}
    return rows


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(shown()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is not on the PATH; Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, page_file):
    """Opens the page offline; whatever it asks for or complains of ends up in `page.noise`."""
    contexts = []

    def opened(width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.noise = []
        page.on("console", lambda m: page.noise.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: page.noise.append(str(error)))
        page.on("dialog", lambda dialog: (page.noise.append("dialog"), dialog.dismiss()))

        def only_the_page(route, request):
            if request.url == page_file.as_uri():
                route.continue_()
            else:
                page.noise.append(f"request: {request.url[:100]}")
                route.abort()

        page.route("**/*", only_the_page)
        page.goto(page_file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def contrast(colours) -> float:
    """The WCAG contrast ratio of two opaque CSS colours."""
    levels = []
    for colour in colours:
        assert colour.startswith("rgb("), colour
        channels = [int(value) / 255 for value in re.findall(r"\d+", colour)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@pytest.mark.parametrize("width", WIDTHS)
def test_it_asks_for_nothing_and_complains_of_nothing(visit, width):
    page = visit(width)
    page.wait_for_load_state("networkidle")
    assert page.noise == []
    assert page.evaluate("document.scripts.length + document.images.length") == 0
    # the style was let in by its hash
    assert page.evaluate("getComputedStyle(document.querySelector('.badge')).display") != "inline"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_sideways(visit, width):
    page = visit(width)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKING_OUT) == []


def scrolled(page) -> bool:
    """Whether the focused box has moved within two seconds: scrolling is animated."""
    for _ in range(100):
        if page.evaluate("document.activeElement.scrollLeft > 0"):
            return True
        page.wait_for_timeout(20)
    pytest.fail("the focused formula does not scroll")


def test_wide_formulas_scroll_with_the_keyboard(visit):
    page = visit(360)
    moved = 0
    for box in page.locator(".scroll").all():
        assert box.get_attribute("aria-label")
        if box.evaluate("e => e.scrollWidth > e.clientWidth"):
            box.focus()
            page.keyboard.press("ArrowRight")
            moved += scrolled(page)
    assert moved >= 3


def test_formulas_are_laid_out(visit):
    page = visit()
    boxes = (
        "tag => [...document.querySelectorAll(tag)].map(e => [e.namespaceURI,"
        "e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
    )
    for tag, least in (("math", 30), ("mfrac", 10), ("msub", 10), ("mtable", 5)):
        found = page.evaluate(boxes, tag)
        assert len(found) >= least
        for namespace, width, height in found:
            assert namespace == "http://www.w3.org/1998/Math/MathML"
            assert width > 0
            assert height > 0
    fraction = """() => { const [a, b] = document.querySelector('mfrac').children;
      return b.getBoundingClientRect().top - a.getBoundingClientRect().top; }"""
    assert page.evaluate(fraction) > 5  # the denominator stands below the numerator


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "selector", [".badge", "p", "a:not(.skip)", "dt", "code", ".differs", "mi"]
)
def test_text_stands_out_from_its_background(visit, scheme, selector):
    colours = visit(scheme=scheme).evaluate(COLOURS, selector)
    assert colours
    assert min(map(contrast, colours)) >= AA


def test_dark_is_dark_and_light_is_light(visit):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(scheme=scheme).evaluate(background) for scheme in ("light", "dark"))
    assert contrast([light, "rgb(0, 0, 0)"]) > 15
    assert contrast([dark, "rgb(0, 0, 0)"]) < 3


def test_certificates_open_and_download_from_the_keyboard(visit):
    page = visit()
    details = page.locator("#third_moment_order details")
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    assert details.locator("pre").is_visible()
    with page.expect_download() as download:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "third_moment_order.json"
    text = download.value.path().read_text(encoding="utf-8")
    (path,) = library.entry("third_moment_order").certificates
    assert json.loads(text) == json.loads(path.read_text(encoding="utf-8"))


def test_the_first_tab_skips_to_the_claims(visit):
    page = visit(360)
    page.keyboard.press("Tab")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page.main"


def test_links_lead_to_their_claims(visit):
    page = visit()
    page.locator("nav a").nth(1).click()
    assert page.evaluate("location.hash") == "#second_moment_bound"
    assert page.evaluate("document.querySelector(':target').id") == "second_moment_bound"
