"""Photograph the page of a run that nobody has named, for docs/viewer.md, where `terrasift view` serves it:

python docs/figures/viewer.py http://127.0.0.1:PORT/ docs/images

It names clusters in the page as a user would, but saves nothing.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHOSEN = (45, 54)
NAMED = {  # clusters of one run; a legend would give others for another
    "building": ("#C8553D", (14, 43, 54, 68, 88)),
    "road": ("#8A8F98", (61, 82, 86)),
    "vegetation": ("#4E9F3D", (39, 42, 77)),
    "water": ("#2F74B5", (22, 25, 37, 48, 49, 60)),
}
REST = ("land", "#E3C58F")


def main(address: str, folder: Path) -> None:
    """Take the pictures."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        choosing(browser, address, folder / "viewer-choosing.png")
        comparing(browser, address, folder / "viewer-comparing.png")
        naming(browser, address, folder / "viewer-tablet.png")
        browser.close()


def choosing(browser: Browser, address: str, out: Path) -> None:
    """Some clusters chosen in the list, and where they lie."""
    page = opened(browser, address, "light", 1200, 760)
    choose(page, CHOSEN)
    photograph(page, out)


def comparing(browser: Browser, address: str, out: Path) -> None:
    """Half of the map swiped away, a pixel asked about, in the dark."""
    page = opened(browser, address, "dark", 1280, 800)
    name_all(page)
    box = page.get_by_test_id("map").bounding_box() or {}
    page.mouse.click(box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"])
    page.get_by_test_id("point-panel").wait_for()
    page.get_by_test_id("clear").click()
    page.get_by_test_id("swipe").evaluate("(input) => { input.value = 520; input.dispatchEvent(new Event('input')) }")
    photograph(page, out)


def naming(browser: Browser, address: str, out: Path) -> None:
    """A tablet, upright."""
    page = opened(browser, address, "light", 820, 1180)
    name_all(page)
    page.locator(".head .chevron").first.click()
    photograph(page, out)


def opened(browser: Browser, address: str, scheme: str, width: int, height: int) -> Page:
    """The page in a window of its own, its clusters counted."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.locator(".tile .caption span", has_text="%").first.wait_for()
    return page


def name_all(page: Page) -> None:
    """The clusters of some classes, then all that are left."""
    for name, (color, clusters) in NAMED.items():
        choose(page, clusters)
        call(page, name, color)
    left = page.get_by_role("group", name="Unnamed clusters").get_by_test_id("cluster-item")
    left.first.click()
    left.last.click(modifiers=["Shift"])
    call(page, *REST)
    page.keyboard.press("Escape")


def choose(page: Page, clusters: Sequence[int]) -> None:
    """Select clusters in the list, those that the scene has."""
    page.keyboard.press("Escape")
    for cluster in clusters:
        item(page, cluster).click(modifiers=["Control"])


def call(page: Page, name: str, color: str) -> None:
    """Name and paint what is selected."""
    page.get_by_test_id("name-input").fill(name)
    page.keyboard.press("Enter")
    change = "(input, color) => { input.value = color; input.dispatchEvent(new Event('change')) }"
    page.get_by_test_id("color-input").evaluate(change, color.lower())


def item(page: Page, cluster: int) -> Locator:
    """A cluster in the list."""
    return page.locator(f'[data-testid=cluster-item][data-cluster="{cluster}"]')


def photograph(page: Page, out: Path) -> None:
    """A picture with five bits a channel, which half the bytes hold."""
    page.mouse.move(2, 2)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    ImageOps.posterize(picture, 5).save(out, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
