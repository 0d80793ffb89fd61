"""Teach mode in a real browser: classes, clicks, keys, touch, and what is left after a reload."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from terrasift import Run
from tests.viewer.page_server import Served
from tests.viewer.test_page import browser, pytestmark, status, window

__all__ = ["browser", "pytestmark", "window"]

playwright = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).parents[2]


def begin(page: Any) -> None:
    page.get_by_test_id("teach").click()
    playwright.expect(page.get_by_test_id("teach-progress")).to_be_hidden(timeout=60_000)


def add(page: Any, name: str) -> None:
    page.get_by_test_id("teach-name").fill(name)
    page.get_by_test_id("teach-name").press("Enter")


def labels(own: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = own.client.get("/api/lesson").json()["labels"]
    return found


def click(page: Any, x: float, y: float) -> None:
    """At a share of the map's width and height."""
    box = page.get_by_test_id("map").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def wait_for(page: Any, own: Served, count: int) -> None:
    for _ in range(100):
        if len(labels(own)) == count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{len(labels(own))} labels, not {count}")


def test_a_class_that_is_named_before_the_labels_have_come_is_kept(window: Callable[..., Any], own: Served) -> None:
    page, held = window(), []

    def hold(route: Any) -> None:
        if route.request.method == "GET" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/lesson", hold)
    page.get_by_test_id("teach").click()
    add(page, "dark")
    add(page, "bright")
    held[0].continue_()
    playwright.expect(page.get_by_test_id("teach-classes").locator("li")).to_have_count(2)
    for _ in range(100):
        named = [entry["name"] for entry in own.client.get("/api/lesson").json()["classes"]]
        if len(named) == 2:
            break
        page.wait_for_timeout(100)
    assert named == ["dark", "bright"]


def test_classes_are_taught_by_clicks_and_survive_a_reload(window: Callable[..., Any], own: Served) -> None:
    page = window()
    begin(page)
    playwright.expect(page.locator(".suggestion")).to_have_count(6)
    add(page, "dark")
    click(page, 0.45, 0.5)
    status(page, "Labelled dark")
    add(page, "bright")
    page.get_by_test_id("map").focus()
    page.keyboard.press("Space")
    wait_for(page, own, 2)
    page.keyboard.press("1")
    click(page, 0.55, 0.4)
    wait_for(page, own, 3)
    assert [entry["name"] for entry in labels(own)].count("dark") == 2
    page.keyboard.press("Control+z")
    wait_for(page, own, 2)
    page.keyboard.press("Control+Shift+z")
    wait_for(page, own, 3)
    page.keyboard.press("e")
    click(page, 0.55, 0.4)
    wait_for(page, own, 2)
    page.reload()
    begin(page)
    playwright.expect(page.get_by_test_id("teach-classes").locator("li")).to_have_count(2)
    page.get_by_test_id("teach-use").click()
    status(page, "The run maps these classes from now on")
    assert own.run.legend.names == ["dark", "bright"]


def test_suggested_places_can_be_gone_to(window: Callable[..., Any], own: Served) -> None:
    page = window()
    begin(page)
    page.wait_for_selector(".suggestion")
    add(page, "dark")
    page.get_by_test_id("map").focus()
    page.keyboard.press("n")
    status(page, "What is this?")
    page.keyboard.press("Space")
    wait_for(page, own, 1)


def test_it_works_by_touch_on_a_small_dark_screen(window: Callable[..., Any], own: Served) -> None:
    page = window(viewport={"width": 390, "height": 780}, has_touch=True, color_scheme="dark")
    page.get_by_test_id("teach").tap()
    playwright.expect(page.get_by_test_id("teach-progress")).to_be_hidden(timeout=60_000)
    page.get_by_test_id("teach-name").fill("dark")
    page.get_by_test_id("teach-add").tap()
    box = page.get_by_test_id("map").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for(page, own, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_labels_survive_a_reload_and_a_killed_server(tiny_run: Run, scenes: Path, tmp_path: Path) -> None:
    """The benchmark of Teach mode on a small scene: it says how many labels were left."""
    paths = ["--run", tiny_run.path, "--images", scenes / "images", "--masks", scenes / "masks"]
    command = [sys.executable, ROOT / "benchmarks" / "teach_page.py", *paths, "--classes", scenes / "classes.yaml"]
    ended = subprocess.run(
        [*command, "--side", "256", "--clicks", "4", "--json", tmp_path / "found.json"], capture_output=True, text=True
    )
    assert (tmp_path / "found.json").exists(), ended.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["labels"], found["labels_after_reload"], found["labels_after_kill"]) == (4, 4, 4)
