"""`terrasift legend`: classes without labels, named and joined; each change is kept whole, and can be taken back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio

from terrasift import LandClass, Legend, Run

Command = Callable[..., Any]
CLUSTERS = 8


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may change; its report is another test's."""
    monkeypatch.setattr("terrasift.report.run.report_on", lambda run: None)
    return Path(shutil.copytree(tiny_run.path, tmp_path / "run"))


def legend_of(run: Path) -> Legend:
    return Legend.load(run / "legend.yaml")


def test_merging_then_naming_then_a_map_with_the_names(command: Command, run: Path, scenes: Path) -> None:
    merged = command("legend", run, "--merge-to", 2, "--json")
    assert merged.code == 0, merged.err
    outcome = json.loads(merged.out)
    assert outcome["written"] == [str(run / "legend.yaml")]
    assert outcome["next"] == f"terrasift legend {run} --name 0=NAME"
    rows = outcome["classes"]
    assert [row["name"] for row in rows] == ["class 0", "class 1"]
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert rows[0]["share"] >= rows[1]["share"] > 0
    assert sorted(rows[0]["clusters"] + rows[1]["clusters"]) == list(range(CLUSTERS))
    named = command("legend", run, "--name", "0=open land", "--name", "1=roofs", "--color", "1=#ff0000")
    assert named.code == 0, named.err
    assert f"next: terrasift predict {run}" in named.out
    assert "open land" in named.out
    assert legend_of(run).names == ["open land", "roofs"]
    Run.open(run).predict(scenes / "images" / "north.tif", run / "map.tif")
    with rasterio.open(run / "map.tif") as dataset:
        assert (dataset.tags()["CLASS_0"], dataset.tags()["CLASS_1"]) == ("open land", "roofs")
        assert dataset.colormap(1)[1][:3] == (255, 0, 0)


def test_auto_says_how_many_and_images_can_be_named(command: Command, run: Path, scenes: Path) -> None:
    (run / "images.txt").write_text("gone.tif\n")
    refused = command("legend", run, "--merge-to", "auto")
    assert (refused.code, refused.out) == (2, "")
    assert "its training images are not where they were; name images of the kind: --images" in refused.err
    merged = command("legend", run, "--merge-to", "auto", "--images", scenes / "images")
    assert merged.code == 0, merged.err
    assert legend_of(run).names == [f"class {index}" for index in range(len(legend_of(run).names))]


def test_showing_changes_nothing(command: Command, run: Path) -> None:
    before = (run / "legend.yaml").read_bytes()
    shown = command("legend", run)
    assert shown.code == 0, shown.err
    assert "cluster 7" in shown.out
    assert f"next: terrasift legend {run} --merge-to auto" in shown.out
    assert (run / "legend.yaml").read_bytes() == before
    assert not (run / "legend.previous.yaml").exists()


def test_undo_goes_back_and_forth(command: Command, run: Path) -> None:
    refused = command("legend", run, "--undo")
    assert refused.code == 2
    assert "has no legend before this one" in refused.err
    first = legend_of(run)
    assert command("legend", run, "--merge", "0,3,cluster 5", "--name", "0=sea").code == 0
    second = legend_of(run)
    assert (second.names[0], second.classes[0].clusters, len(second.classes)) == ("sea", (0, 3, 5), CLUSTERS - 2)
    assert command("legend", run, "--undo").code == 0
    assert legend_of(run) == first
    assert command("legend", run, "--undo").code == 0
    assert legend_of(run) == second
    assert command("legend", run, "--split", 3).code == 0
    assert legend_of(run).classes[-1].clusters == (3,)
    assert command("legend", run, "--reset").code == 0
    assert legend_of(run) == Legend.of_clusters(CLUSTERS)


def test_a_file_is_taken_only_if_it_fits_the_run(command: Command, run: Path, tmp_path: Path) -> None:
    mine = Legend((LandClass("all [b]", "#123456", tuple(range(CLUSTERS))),), classifier=2)
    mine.save(tmp_path / "mine.yaml")
    taken = command("legend", run, "--from", tmp_path / "mine.yaml")
    assert taken.code == 0, taken.err
    assert "all [b]" in taken.out  # no markup
    assert legend_of(run) == mine
    Legend.of_clusters(CLUSTERS + 1).save(tmp_path / "wide.yaml")
    refused = command("legend", run, "--from", tmp_path / "wide.yaml")
    assert (refused.code, refused.out) == (2, "")
    assert "wide.yaml:12: classes[8].clusters[0] is 8; the clusters are 0 to 7" in refused.err
    assert legend_of(run) == mine


def test_a_legend_that_was_edited_wrongly_can_be_replaced(command: Command, run: Path) -> None:
    (run / "legend.yaml").write_text("classes:\n- {name: a, color: red}\n")
    refused = command("legend", run)
    assert refused.code == 2
    assert "legend.yaml:2: classes[0].color 'red' is not a colour" in refused.err
    assert command("legend", run, "--reset").code == 0
    assert legend_of(run) == Legend.of_clusters(CLUSTERS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--undo", "--reset"], "--reset: cannot be given with --undo"),
        (["--images", "a.tif"], "--images: are where --merge-to looks; give --merge-to too"),
        (["--merge-to", "0"], "--merge-to: is 0; write a number, or auto"),
        (["--merge-to", "few"], "--merge-to: is few; write a number, or auto"),
        (["--merge-to", "9"], "--merge-to: is 9; "),
        (["--name", "9=a"], "has no class '9'"),
        (["--color", "0=red"], "'red' is not a colour"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    command: Command, run: Path, options: list[str], words: str
) -> None:
    before = (run / "legend.yaml").read_bytes()
    refused = command("legend", run, *options)
    assert (refused.code, refused.out) == (2, "")
    assert words in refused.err
    assert (run / "legend.yaml").read_bytes() == before


def test_what_is_no_run(command: Command, tmp_path: Path) -> None:
    refused = command("legend", tmp_path)
    assert refused.code == 2
    assert "is not a run" in refused.err
