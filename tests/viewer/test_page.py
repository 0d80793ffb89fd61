"""The page in a browser: what a user sees, does and keeps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from terrasift import Legend
from terrasift.clusters import merge_clusters
from terrasift.legend import LandClass
from terrasift.viewer import static
from tests.viewer.page_server import MARKUP, Served, stored

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, in the extra dev")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which the system installs"),
    pytest.mark.skipif(
        not (Path(static.__file__).parent / "static" / "index.html").exists(), reason="needs the built page: make page"
    ),
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

SMOOTH = (9, 9)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def window(browser: Any, own: Served) -> Iterator[Callable[..., Any]]:
    """Opens the page in a window of its own; afterwards none may have complained, or asked anybody but the server."""
    contexts, complaints = [], []
    home = f"http://{own.host}/"

    def check_request(request: Any) -> None:
        if not request.url.startswith((home, "blob:", "data:")):
            complaints.append(f"asked {request.url}")

    def check_message(message: Any, expected: tuple[str, ...]) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in expected):
            complaints.append(message.text)

    def refuse(dialog: Any) -> None:
        if dialog.type != "beforeunload":
            complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_window(*expected: str, **options: Any) -> Any:
        expected += ("412 (Precondition Failed)",)  # the answer to a save that would lose work
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("request", check_request)
        page.on("console", lambda message: check_message(message, expected))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", refuse)
        page.goto(home)
        playwright.expect(page.get_by_test_id("groups")).to_be_visible(timeout=15_000)
        if page.locator(".head").count() and own.run.legend == own.run.cluster_legend:
            slide(page, "groups", 8)  # each cluster by itself
        page.locator("[data-key]").first.wait_for()
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def status(page: Any, text: str) -> None:
    playwright.expect(page.get_by_test_id("status")).to_contain_text(text)


def cluster(page: Any, number: int) -> Any:
    return page.locator(f'[data-testid=cluster-item][data-cluster="{number}"]')


def heads(page: Any) -> list[str]:
    """Names of the named classes, as they are listed."""
    return page.locator(".head .name").all_text_contents()


def call(page: Any, number: int, name: str) -> None:
    cluster(page, number).click()
    page.get_by_test_id("name-input").fill(name)
    page.keyboard.press("Enter")


def saved(own: Served) -> dict[str, tuple[int, ...]]:
    return {entry.name: entry.clusters for entry in Legend.load(own.run.legend_file).classes}


def largest(own: Served, count: int) -> list[int]:
    """The clusters of the first scene that hold most pixels."""
    return [entry["cluster"] for entry in own.client.get("/api/scenes/0/clusters").json()["clusters"]][:count]


def slide(page: Any, name: str, value: int) -> None:
    page.get_by_test_id(name).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')) }", value
    )


def settle(page: Any) -> None:
    """Until two pictures of the map in a row are the same."""
    before = b""
    for _ in range(50):
        picture = page.get_by_test_id("map").screenshot(animations="disabled")
        if picture == before:
            return
        before = picture
        page.wait_for_timeout(60)
    raise AssertionError("the map does not come to rest")


def screen(page: Any) -> NDArray[np.uint8]:
    """(800, 1280, 3), red green blue."""
    settle(page)
    found = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return found[:, :, ::-1]


def places(page: Any) -> list[tuple[int, int, int, int]]:
    """Points of the screen over the scene, with the pixel that the page says is there: (x, y, row, column)."""
    box = page.get_by_test_id("map").bounding_box()
    found = []
    for down in np.linspace(0.1, 0.85, 7):
        for right in np.linspace(0.22, 0.72, 6):
            x, y = round(box["x"] + right * box["width"]), round(box["y"] + down * box["height"])
            page.mouse.move(x, y)
            text = page.locator("#readout").text_content()
            if "column" in text:
                column, row = (int(text.split(word)[1].split()[0].strip(",")) for word in ("column", "row"))
                found.append((x, y, row, column))
    page.mouse.move(2, 2)
    assert len(found) > 20
    return found


def test_layers_show_the_image_the_clusters_and_the_classes_pixel_by_pixel(window: Any, own: Served) -> None:
    page = window()
    clusters = stored(own.scenes[0].clusters)
    x, y, rows, columns = np.array([point for point in places(page) if clusters[point[2:]] < 8]).T
    labels = clusters[rows, columns].astype(int)
    slide(page, "opacity", 100)

    def seen(layer: str) -> NDArray[np.int64]:
        page.get_by_test_id(f"layer-{layer}").check()
        return screen(page)[y, x].astype(np.int64)

    with rasterio.open(own.scenes[0].path) as dataset:
        image = cv2.blur(np.moveaxis(dataset.read(), 0, 2), SMOOTH)[rows, columns]
    page.get_by_test_id("layer-image").check()
    shown = cv2.blur(screen(page), SMOOTH)[y, x]  # the screen's pixels lie between the image's
    assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.97
    assert np.mean(seen("clusters") == Legend.of_clusters(8).rgb[labels]) > 0.9
    most = int(np.bincount(labels).argmax())
    call(page, most, "most of it")
    page.get_by_test_id("color-input").evaluate(
        "(input) => { input.value = '#12fe34'; input.dispatchEvent(new Event('change')) }"
    )
    lit = seen("classes")
    assert np.mean(lit[labels == most] == (255, 0, 196)) > 0.9, "what is selected is lit up"
    assert np.mean(lit[labels != most] == (255, 0, 196)) < 0.4
    page.get_by_test_id("clear").click()
    painted = seen("classes")
    expected = Legend.of_clusters(8).rgb.astype(np.int64)
    expected[most] = (0x12, 0xFE, 0x34)
    assert np.mean(painted == expected[labels]) > 0.9
    slide(page, "swipe", 1000)
    assert np.mean(seen("classes") == expected[labels]) < 0.2, "swiped away, the bare image shows"
    slide(page, "swipe", 0)
    page.get_by_test_id("layer-confidence").check()
    light = (cv2.blur(screen(page), SMOOTH) @ np.array((0.2126, 0.7152, 0.0722)))[y, x]
    confidence = cv2.blur(stored(own.scenes[0].confidence), SMOOTH)[rows, columns]
    assert np.corrcoef(light, confidence)[0, 1] > 0.9


def test_a_click_says_what_is_there_and_selects_its_cluster(window: Any, own: Served) -> None:
    page = window()
    x, y, row, column = places(page)[len(places(page)) // 2]
    page.mouse.click(x, y)
    panel = page.get_by_test_id("point-panel")
    playwright.expect(panel).to_contain_text(f"{column}, {row}")
    label = stored(own.scenes[0].clusters)[row, column]
    answer = own.client.get(f"/api/scenes/0/point?x={column}&y={row}").json()
    text = panel.text_content()
    assert f"cluster {label}" in text
    assert f"{answer['easting']:,.2f}" in text
    assert f"{answer['longitude']:.6f}" in text
    playwright.expect(cluster(page, label)).to_have_attribute("aria-selected", "true")


def test_named_merged_undone_saved_reloaded_exported(window: Any, own: Served) -> None:
    page = window()
    playwright.expect(page).to_have_title("run – terrasift")
    first, second = largest(own, 2)
    call(page, first, "water")
    playwright.expect(page).to_have_title("• run – terrasift")
    call(page, second, "shore")
    assert sorted(heads(page)) == ["shore", "water"]
    page.locator(".head", has_text="water").click()
    page.locator(".head", has_text="shore").click(modifiers=["Control"])
    page.get_by_test_id("merge").click()
    assert heads(page) == ["water"]
    page.get_by_test_id("undo").click()
    assert sorted(heads(page)) == ["shore", "water"]
    page.get_by_test_id("redo").click()
    assert heads(page) == ["water"]
    page.get_by_test_id("save").click()
    status(page, "Saved.")
    assert saved(own)["water"] == tuple(sorted([first, second]))
    page.reload()
    page.locator(".head").first.wait_for()
    assert heads(page) == ["water"]
    page.get_by_test_id("export").click()
    status(page, "Wrote")
    clusters, classes = stored(own.scenes[0].clusters), stored(own.maps / "0.tif")
    with rasterio.open(own.maps / "0.tif") as dataset:
        names = [dataset.tags()[f"CLASS_{index}"] for index in range(7)]
    np.testing.assert_array_equal(classes == names.index("water"), np.isin(clusters, [first, second]))


def test_unsaved_work_is_exported_too_and_a_cluster_is_split_off(window: Any, own: Served) -> None:
    page = window()
    first, second = largest(own, 2)
    cluster(page, first).click()
    cluster(page, second).click(modifiers=["Control"])
    page.get_by_test_id("name-input").fill("road")
    page.get_by_test_id("name").click()
    page.locator(".head .chevron").click()
    cluster(page, second).click()
    page.get_by_test_id("split").click()
    with page.expect_event("dialog") as asked:  # which is refused: the work is still there
        page.evaluate("location.reload()")
    assert asked.value.type == "beforeunload"
    page.get_by_test_id("export").click()
    status(page, "which the run does not have until you save")
    assert "road" not in saved(own), "nothing is saved unasked"
    with rasterio.open(own.maps / "0.tif") as dataset:
        tags, classes = dataset.tags(), dataset.read(1)
    names = [tags[f"CLASS_{index}"] for index in range(8)]
    np.testing.assert_array_equal(classes == names.index("road"), stored(own.scenes[0].clusters) == first)
    page.get_by_test_id("export-all").click()
    status(page, "Wrote 3 maps")
    assert len(list(own.maps.glob("*.tif"))) == 3


def test_it_opens_on_groups_and_a_click_on_a_class_selects_all_of_it(window: Any, own: Served) -> None:
    page = window()
    facts = own.run.kept_facts
    slide(page, "groups", 3)
    joined = merge_clusters(facts, 3)
    several = [index for index in range(3) if (joined == index).sum() > 1]
    assert sorted(heads(page)) == [f"class {index}" for index in several]
    playwright.expect(page.locator("#named-share")).to_have_text("0 % named")
    playwright.expect(page).to_have_title("run – terrasift")  # nothing that was proposed would be lost
    x, y, row, column = places(page)[len(places(page)) // 2]
    page.mouse.click(x, y)
    group = np.flatnonzero(joined == joined[stored(own.scenes[0].clusters)[row, column]])
    page.get_by_test_id("name-input").fill("Water")
    page.keyboard.press("Enter")
    page.get_by_test_id("save").click()
    status(page, "Saved.")
    assert saved(own)["Water"] == tuple(group.tolist())
    colors = {entry.name: entry.color for entry in Legend.load(own.run.legend_file).classes}
    assert colors["Water"] == "#2B7BBA"
    if len(group) > 1:
        page.locator("#map").focus()
        page.keyboard.press("s")
        page.get_by_test_id("split-dialog").wait_for()
        page.keyboard.press("Escape")
        assert "Water" in heads(page)
        page.keyboard.press("s")
        page.get_by_test_id("split-yes").click()
        assert page.get_by_test_id("cluster-item").count() >= len(group)


def conflict(window: Any, own: Served) -> tuple[Any, int]:
    """A window whose save comes after that of another, which has called the cluster water."""
    number = largest(own, 1)[0]
    one, other = window(), window()
    call(one, number, "water")
    call(other, number, "<b>lake</b>")
    one.keyboard.press("Control+s")
    status(one, "Saved.")
    other.keyboard.press("Control+s")
    other.get_by_test_id("conflict").wait_for()
    assert other.locator("#differences tr").all_text_contents() == [f"{number}<b>lake</b>water"]
    assert saved(own)["water"] == (number,), "nothing is written before somebody chooses"
    return other, number


def test_of_two_windows_the_second_chooses_mine(window: Any, own: Served) -> None:
    page, number = conflict(window, own)
    page.get_by_test_id("keep-mine").click()
    status(page, "Saved.")
    assert saved(own)["<b>lake</b>"] == (number,)
    page.keyboard.press("Control+z")
    assert heads(page) == ["water"]


def test_of_two_windows_the_second_chooses_theirs(window: Any, own: Served) -> None:
    page, number = conflict(window, own)
    page.get_by_test_id("decide-later").click()
    page.get_by_test_id("save").click()
    page.get_by_test_id("take-theirs").click()
    assert heads(page) == ["water"]
    page.keyboard.press("Control+z")
    assert heads(page) == ["<b>lake</b>"]
    page.get_by_test_id("save").click()
    status(page, "Saved.")
    assert saved(own)["<b>lake</b>"] == (number,)


def test_a_server_that_was_started_anew_takes_what_is_saved(window: Any, own: Served) -> None:
    page = window("403 (Forbidden)")
    number = largest(own, 1)[0]
    page.evaluate("document.querySelector('meta[name=terrasift-token]').content = '0123456789abcdef'")  # an earlier one
    call(page, number, "water")
    page.get_by_test_id("save").click()
    status(page, "Saved.")
    assert saved(own)["water"] == (number,)


def test_without_a_server_the_legend_can_be_downloaded(window: Any, own: Served, tmp_path: Path) -> None:
    page = window("ERR_INTERNET_DISCONNECTED")
    number = largest(own, 1)[0]
    call(page, number, MARKUP)
    playwright.expect(page.get_by_test_id("download")).to_be_hidden()
    page.context.set_offline(True)
    page.keyboard.press("Control+s")
    status(page, "The server does not answer")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    status(page, f"terrasift legend {own.run.path} --from legend.yaml")
    download.value.save_as(tmp_path / download.value.suggested_filename)
    rescued = {entry.name: entry.clusters for entry in Legend.load(tmp_path / "legend.yaml", 8, 2).classes}
    assert rescued == {MARKUP if k == number else f"cluster {k}": (k,) for k in range(8)}
    playwright.expect(page).to_have_title("• run – terrasift")  # still not saved
    page.context.set_offline(False)
    page.keyboard.press("Control+s")
    status(page, "Saved.")
    playwright.expect(page.get_by_test_id("download")).to_be_hidden()


def test_a_colour_that_masks_ignore_is_not_taken(window: Any, own: Served) -> None:
    classes = Legend.of_clusters(8).classes
    number, other = largest(own, 2)
    land = LandClass("land", "#010203", tuple(k for k in range(8) if k != other))
    own.run.save_legend(Legend((land, classes[other]), ignore=("#000000", classes[number].color)))
    page = window()
    page.locator(".head .chevron").click()
    cluster(page, number).click()
    page.get_by_test_id("color-input").evaluate(
        "(input) => { input.value = '#000000'; input.dispatchEvent(new Event('change')) }"
    )
    status(page, "#000000 is the colour of what counts nowhere")
    playwright.expect(page.get_by_test_id("color-input")).to_have_value("#010203")
    page.get_by_test_id("split").click()
    page.keyboard.press("Control+s")
    status(page, "Saved.")
    assert saved(own)[f"cluster {number}"] == (number,)


def test_names_stay_text(window: Any, own: Served) -> None:
    page = window()
    page.get_by_test_id("scene-select").select_option(index=1)
    status(page, f"{MARKUP}.png")
    call(page, int(page.get_by_test_id("cluster-item").first.get_attribute("data-cluster")), MARKUP)
    assert heads(page) == [MARKUP]
    page.mouse.click(*places(page)[0][:2])
    page.get_by_test_id("point-panel").wait_for()
    page.get_by_test_id("export").click()
    status(page, "Wrote")
    page.get_by_test_id("save").click()
    status(page, "Saved.")
    page.reload()
    page.locator(".head").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
    assert heads(page) == [MARKUP]


def test_the_keyboard_alone_does_it_all(window: Any, own: Served) -> None:
    page = window()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.testid ?? ''"))
        if reached[-1] == "cluster-item":
            break
    expected = [
        "scene-select",
        "export",
        "help",
        "layer-classes",
        "opacity",
        "map",
        "swipe",
        "highlight",
        "groups",
        "sort",
    ]
    assert [name for name in reached if name in expected] == expected
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    chosen = page.locator('[aria-selected="true"]').all()
    numbers = sorted(int(item.get_attribute("data-cluster")) for item in chosen)
    assert len(numbers) == 2
    page.keyboard.press("m")
    page.keyboard.type("water")
    page.keyboard.press("Enter")
    assert heads(page) == ["water"]
    for _ in range(2):
        page.keyboard.press("Control+z")
    assert heads(page) == []
    for _ in range(2):
        page.keyboard.press("Control+Shift+z")
    page.keyboard.press("3")
    page.keyboard.press("h")
    playwright.expect(page.get_by_test_id("highlight")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+s")
    status(page, "Saved.")
    assert saved(own)["water"] == tuple(numbers)
    page.keyboard.press("?")
    playwright.expect(page.get_by_test_id("help-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_test_id("map").focus()
    page.keyboard.press("Space")
    playwright.expect(page.get_by_test_id("point-panel")).to_be_visible()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_test_id("name-input")).to_be_focused()


def test_what_the_eye_sees_is_said_too(window: Any, own: Served) -> None:
    page = window()
    first, second = largest(own, 2)
    cluster(page, first).click()
    cluster(page, second).click(modifiers=["Control"])
    page.get_by_test_id("merge").click()
    page.keyboard.type("water")
    page.keyboard.press("Enter")
    page.locator(".head .chevron").click()
    cluster(page, first).click()
    head = page.locator(".head")
    playwright.expect(head).to_have_attribute("aria-label", re.compile(r"^water, 2 clusters, .*, 1 of them selected$"))
    head.click()
    playwright.expect(head).to_have_attribute("aria-label", re.compile(r"^water, 2 clusters, [^,]* of the scene$"))
    page.get_by_test_id("map").focus()
    page.keyboard.press("Space")
    said = page.get_by_test_id("status")
    playwright.expect(said).to_contain_text(re.compile(r"^Cluster \d, .*\d %, at column \d+, row \d+\.$"))
    panel = page.get_by_test_id("point-panel")
    for close in (lambda: page.keyboard.press("Enter"), lambda: page.keyboard.press("Escape")):
        with page.expect_response(re.compile(r"/point\?")):  # what comes later would open the panel again
            page.keyboard.press("Space")
        page.wait_for_timeout(100)
        panel.get_by_label("Close").focus()
        close()
        playwright.expect(panel).to_be_hidden()
        playwright.expect(page.get_by_test_id("map")).to_be_focused()


def test_single_keys_can_be_turned_off(window: Any, own: Served) -> None:
    page = window()
    highlight, help_dialog = page.get_by_test_id("highlight"), page.get_by_test_id("help-dialog")

    def switch() -> None:
        page.get_by_test_id("help").click()
        page.get_by_test_id("single-keys").click()
        page.keyboard.press("Escape")

    switch()
    for key in ("h", "?", "2"):
        page.keyboard.press(key)
    playwright.expect(help_dialog).to_be_hidden()
    playwright.expect(highlight).to_have_attribute("aria-pressed", "true")
    playwright.expect(page.get_by_test_id("layer-classes")).to_be_checked()
    call(page, largest(own, 1)[0], "hill 2")  # typing is no matter of keys
    page.keyboard.press("Control+z")
    assert heads(page) == []
    page.reload()
    page.locator(".head").first.wait_for()
    page.keyboard.press("h")
    playwright.expect(highlight).to_have_attribute("aria-pressed", "true")
    switch()
    page.keyboard.press("h")
    playwright.expect(highlight).to_have_attribute("aria-pressed", "false")


CONTRAST = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = channels(color).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0.9) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('body *')].filter((node) =>
    node.checkVisibility() && !node.closest(':disabled, option, .hidden, .ol-zoom')
    && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()));
  return texts.map((node) => {
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
    return [(one + 0.05) / (other + 0.05), node.outerHTML.slice(0, 80)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (820, 1180), (390, 844)], ids=["desk", "tablet", "phone"])
def test_both_schemes_can_be_read_and_both_sizes_hold_everything(
    window: Any, own: Served, scheme: str, size: tuple[int, int]
) -> None:
    page = window(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    call(page, largest(own, 1)[0], "water")
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 30
    assert [entry for entry in ratios if entry[0] < 4.5] == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 21)"
    assert dark == (scheme == "dark")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == list(size)
    for name in (
        "map",
        "save",
        "export",
        "export-all",
        "layer-confidence",
        "opacity",
        "name-input",
        "merge",
        "split",
        "clear",
    ):
        box = page.get_by_test_id(name).bounding_box()
        assert min(box["x"], box["y"]) >= 0, name
        assert box["x"] + box["width"] <= size[0], name
        assert box["y"] + box["height"] <= size[1], name
    unlabelled = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter((node) => node.checkVisibility()"
        " && !(node.ariaLabel || node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML)"
    )
    assert unlabelled == []
