"""The whole way on generated images: train, map, evaluate, and a page of pictures."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from terrasift.api import Run, train
from terrasift.demo.scenes import write_scenes
from terrasift.errors import InputError
from terrasift.evaluation import Evaluation
from terrasift.files import write_text
from terrasift.legend import Legend
from terrasift.metrics import COMPARED
from terrasift.prediction import Segmenter, predict_scene
from terrasift.raster import Raster, read_labels, write_qgis_style
from terrasift.recipe import Recipe
from terrasift.report.comparison import compared_rows, untaken_lines
from terrasift.report.drawing import paint
from terrasift.report.pages import render
from terrasift.report.pictures import embed_array
from terrasift.report.run import report_on
from terrasift.report.run.curves import training_figure

__all__ = ["demo"]

_PICTURED = "k-means on pixels"  # of the baselines, as a GIS offers it


def demo(out: str | os.PathLike[str], recipe: Recipe | None = None, *, side: int = 1000) -> Path:
    """Train on two generated scenes, map and score the second, and write a page of pictures.

    Parameters
    ----------
    out
        A folder that does not exist or is empty.
    recipe
        None: the recipe ``demo``.
    side
        Rows and columns of each scene.

    Returns
    -------
    Path
        The page, ``index.html``.

    Raises
    ------
    InputError
        If `out` holds something.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(out, "is there already", "name an empty folder: `out`")
    recipe = recipe or Recipe.load("demo")
    known, unknown = write_scenes(out, side)
    legend = Legend.load(out / "classes.yaml")
    started = time.monotonic()
    run = train([known, unknown], out / "run", recipe)
    seconds = time.monotonic() - started
    masks = out / "masks"
    evaluation = run.evaluate([unknown], masks, legend, map_images=[known])
    report_on(run)
    run.predict(unknown, out / "map.tif")
    merged = run.merged_legend()
    _map(run.predictor, merged, unknown, out / "merged.tif")
    for baseline in evaluation.baselines:
        if baseline.name == _PICTURED and baseline.segmenter:
            _map(baseline.segmenter, legend.with_clusters(baseline.mapping, 1), unknown, out / "kmeans.tif")
    scores = {"terrasift": evaluation.best.confusion} | {each.name: each.confusion for each in evaluation.baselines}
    write_text(out / "scores.json", json.dumps({name: matrix.scores() for name, matrix in scores.items()}, indent=2))
    return write_text(out / "index.html", _page(out, run, unknown, evaluation, merged, seconds))


def _map(segmenter: Segmenter, legend: Legend, scene: Path, out: Path) -> None:
    with Raster(scene) as raster:
        predict_scene(segmenter, legend, raster, out)
    write_qgis_style(out, legend)


def _page(out: Path, run: Run, unknown: Path, evaluation: Evaluation, merged: Legend, seconds: float) -> str:
    legend = run.legend
    with Raster(unknown) as raster:
        image, _ = raster.read()
    pictures = [{"caption": "the image", "uri": embed_array(image)}]
    for caption, path in {
        "terrasift": out / "map.tif",
        "ground truth": out / "masks" / unknown.name,
        _PICTURED: out / "kmeans.tif",
    }.items():
        if not path.exists():  # k-means could not be fitted: the log says why
            continue
        pictures.append(_picture(caption, path, legend))
    log = run.log
    assert log is not None  # it has just been trained
    return render(
        "demo/page.html.j2",
        clusters=run.recipe.clusters,
        steps=log.steps,
        seconds=round(seconds),
        legend=legend.classes,
        pictures=pictures,
        compared=compared_rows(evaluation, "terrasift"),
        compared_columns=list(COMPARED.values()),
        untaken=untaken_lines(evaluation, "terrasift"),
        merged=merged.classes,
        merged_picture=_picture(
            f"{run.recipe.clusters} clusters merged to {len(merged.classes)}", out / "merged.tif", merged
        ),
        commands=[
            f"terrasift legend {run.path} --merge-to auto",
            f"terrasift view {run.path} {unknown}",
            f"terrasift predict {run.path} {unknown} --out map.tif",
        ],
        training=training_figure(log, run.recipe.clusters),
        files=[
            {"name": "map.tif", "what": "the class map, on the image's own grid: open it in a GIS"},
            {
                "name": "merged.tif",
                "what": "the map without any labels: clusters merged to classes that wait for names",
            },
            {"name": "run/", "what": "the trained network, with its recipe and legend"},
            {"name": "run/report.html", "what": "its report: what each cluster is, how training went, what it scored"},
            {"name": "images/, masks/, classes.yaml", "what": "the generated scenes and their ground truth"},
            {"name": "scores.json", "what": "every score of each method"},
        ],
    )


def _picture(caption: str, path: Path, legend: Legend) -> dict[str, str]:
    return {"caption": caption, "uri": embed_array(paint(read_labels(path, legend), legend))}
