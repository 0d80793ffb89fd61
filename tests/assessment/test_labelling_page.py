"""The page to label points on, in a browser that may fetch nothing: keys, touch, what is kept, and what comes out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from terrasift import assess
from tests.assessment.known_maps import CLASSES, Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "color_scheme": "dark"}
DESK = {"viewport": {"width": 1100, "height": 900}, "color_scheme": "light"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(browser: Any, site: Site, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page of a sample of twelve points in check/, on which nothing may go wrong or be fetched."""
    assess.sample(site.map, "check", assess.SampleDesign(total=12), scene=site.scene)
    context = browser.new_context(accept_downloads=True, **request.param)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "request", lambda sent: None if sent.url.startswith(("file:", "data:", "blob:")) else wrong.append(sent.url)
    )
    opened.goto(Path("check/label.html").absolute().as_uri())
    yield opened
    assert wrong == []
    context.close()


def test_keys_label_and_go_on(page: Any) -> None:
    page.keyboard.press("2")
    page.keyboard.press("3")
    assert page.locator("#count").inner_text() == "3 of 12, 2 labelled"
    page.keyboard.press("ArrowLeft")
    assert page.locator("[aria-pressed=true]").inner_text().split() == ["3", "road"]
    page.keyboard.press("Backspace")
    assert page.locator("#count").inner_text() == "2 of 12, 1 labelled"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    assert page.locator("#count").inner_text() == "4 of 12, 1 labelled"


def test_what_is_entered_survives_a_reload_and_comes_out_as_points(page: Any) -> None:
    for number in range(12):
        button = page.locator("[data-name]").nth(number % 3)
        button.tap() if page.evaluate("navigator.maxTouchPoints") else button.click()
    page.reload()
    assert page.locator("#count").inner_text() == "1 of 12, 12 labelled"
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "points.csv"
    download.value.save_as("check/points.csv")
    assert assess.report("check").assessment.labelled == 12
    assert [line.split(",")[-1] for line in Path("check/points.csv").read_text().splitlines()[1:4]] == list(CLASSES)


def test_labels_of_a_file_are_gone_on_with(page: Any) -> None:
    rows = Path("check/points.csv").read_text().splitlines()
    quoted = '"sea, with ""ice"""'
    Path("begun.csv").write_text("\r\n".join([rows[0], rows[1] + "wood", rows[2] + quoted, *rows[3:]]))
    page.locator("#file").set_input_files("begun.csv")
    page.wait_for_function("document.querySelector('#said').textContent.includes('Loaded 2 labels')")
    assert page.locator("#count").inner_text() == "3 of 12, 2 labelled"
    assert page.locator("[data-name]").last.inner_text() == 'sea, with "ice"'
    kept = json.loads(page.evaluate("JSON.stringify(localStorage)"))
    assert json.loads(next(iter(kept.values()))) == {"1": "wood", "2": 'sea, with "ice"'}


def test_it_fits_the_screen_and_shows_the_point_in_the_middle(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate("[...document.querySelectorAll('button')].filter((each) => each.offsetHeight < 44).length")
    assert small == 0  # as large as a finger
    for view in ("#near", "#far"):
        outer, inner = (page.locator(f"{view}{part}").bounding_box() for part in ("", " .pixel"))
        for side, length in (("x", "width"), ("y", "height")):
            assert inner[side] + inner[length] / 2 == pytest.approx(outer[side] + outer[length] / 2, abs=1)
