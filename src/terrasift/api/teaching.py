"""A run taught by labels, and the places where the next ones help most."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

from terrasift.data.images import Images, as_files
from terrasift.data.scenes import describe_scenes
from terrasift.errors import RunError, SettingError
from terrasift.legend import Legend
from terrasift.opened import OpenedRun
from terrasift.teaching import Labels, MapPoint, Taught, suggest_points, teach
from terrasift.teaching.classifier import Metric, pixels_of_outputs
from terrasift.teaching.gathering import gather_sample

__all__ = ["suggest_for", "teach_run"]


def teach_run(
    run: OpenedRun,
    labels: Labels | str | os.PathLike[str] | None,
    scenes: Images | None,
    classes: Legend | str | os.PathLike[str] | None,
) -> Taught:
    """See `Run.teach`."""
    if labels is None:
        labels = run.labels_file
        if not run.labels_file.exists():
            raise RunError(run.path, "keeps no labels", "name a file of them, or click them: terrasift view RUN")
    legend = None if classes is None else Legend.of(classes)
    seen, before = run.legend_digest, run.legend
    with _scenes(run, scenes) as paths:
        taught = teach(run.predictor, labels, paths, before, legend)
    save_taught(run, taught, seen)
    return taught


def save_taught(run: OpenedRun, taught: Taught, seen: str | None = None) -> Legend:
    """Put a classifier and its legend in force; RunError if the legend is no longer the one `seen`."""
    classifier = taught.lesson.classifier
    name = run.save_taught(classifier, pixels_of_outputs(classifier, taught.sample))
    legend = dataclasses.replace(taught.legend, taught=name)
    if run.save_legend(legend, seen) is None:
        raise RunError(run.legend_file, "has been changed elsewhere meanwhile", "look at it, and try again")
    return legend


def suggest_for(run: OpenedRun, count: int, scenes: Images | None) -> list[MapPoint]:
    """See `Run.suggest`."""
    if count < 1:
        raise SettingError("count", f"is {count}", "ask for 1 or more")
    with _scenes(run, scenes) as paths:
        infos = describe_scenes(paths, run.recipe.resolution)
        for info in infos:
            run.predictor.check(info)
        sample = gather_sample(run.predictor, infos)
    legend = run.legend
    if not legend.taught:
        return suggest_points(sample, Metric.of(sample), infos, count)
    classifier = run.load_taught(legend.taught)
    names = {output: entry.name for entry in legend.classes for output in entry.clusters}
    known = [names.get(output, f"output {output}") for output in range(classifier.outputs)]
    return suggest_points(sample, Metric.of(sample), infos, count, classifier, known)


@contextlib.contextmanager
def _scenes(run: OpenedRun, scenes: Images | None) -> Iterator[list[str]]:
    if scenes is None and not run.images_at_hand:
        raise run.images_gone("name scenes: `scenes`")
    with as_files(run.images_at_hand if scenes is None else scenes, run.recipe.bands) as paths:
        yield paths
