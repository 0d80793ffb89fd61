"""Is a map right, and how much of each class is there, plus or minus what?

`sample` draws points of a map to be looked at; `report` says what the labelled points tell about it; `areas` counts
what the map itself shows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from terrasift.assessment import (
    Assessment,
    Sample,
    SampleDesign,
    assess,
    draw_sample,
    read_references,
    write_sample_points,
)
from terrasift.errors import InputError
from terrasift.files import saying
from terrasift.raster import ClassAreas, class_areas
from terrasift.report.assessment import draw_chips, write_assessment, write_chip, write_labelling_page

__all__ = ["Reported", "SampleDesign", "Sampled", "areas", "report", "sample"]


@dataclass(frozen=True)
class Sampled:
    """A sample, and the files it was written to."""

    sample: Sample
    written: tuple[Path, ...]


@dataclass(frozen=True)
class Reported:
    """An assessment, and the files it was written to."""

    assessment: Assessment
    written: tuple[Path, ...]


def sample(
    map: str | os.PathLike[str],
    out: str | os.PathLike[str],
    design: SampleDesign,
    *,
    scene: str | os.PathLike[str] | None = None,
) -> Sampled:
    """Draw a stratified random sample of a map's pixels, for people to say what is truly there.

    The map is read strip by strip, twice, and may be of any size. The same map and seed give the same points.

    Parameters
    ----------
    map
        A class map: one band of uint8 or uint16.
    out
        A folder for ``sample.json``, the points (``points.csv``, ``points.gpkg``, ``points.geojson``; the latter two
        with the extra ``vector``) and, with a scene, ``chips/`` and ``label.html``. It must not hold another sample.
    design
        How many points, where, and of which classes.
    scene
        The image to look at: any raster that shows the map's ground.

    Raises
    ------
    InputError
        If the map, the scene or the classes cannot be read, or the folder holds a sample.
    SettingError
        If the numbers do not fit together, or the map.

    References
    ----------
    P. Olofsson et al.: Good practices for estimating area and assessing accuracy of land change. Remote Sensing of
    Environment 148 (2014) 42-57.

    Examples
    --------
    >>> sample("map.tif", "check", SampleDesign(total=500), scene="scene.tif")  # doctest: +SKIP
    """
    folder = Path(out)
    if (folder / "sample.json").exists():
        raise InputError(folder, "holds a sample, maybe a labelled one", "choose another folder")
    drawn = draw_sample(map, design)
    chips = draw_chips(drawn, scene) if scene is not None else []
    with saying(folder):
        folder.mkdir(parents=True, exist_ok=True)
        written = write_sample_points(drawn, folder)
        if chips:
            (folder / "chips").mkdir(exist_ok=True)
            for chip in chips:
                if chip.rgb is not None:
                    write_chip(chip, folder / "chips" / f"{chip.id}.png")
            written += [folder / "chips", write_labelling_page(drawn, chips, folder / "label.html")]
        written.append(drawn.save(folder))  # last: a sample is there once all of it is
    return Sampled(drawn, tuple(written))


def report(
    sample: str | os.PathLike[str],
    *,
    map: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Reported:
    """Estimate a map's accuracy and the area of its classes from labelled points, each with a 95 % interval.

    Parameters
    ----------
    sample
        The folder that `sample` wrote, in which one file of points has been filled in; or that file, if it is still in
        the folder.
    map
        Assess this map by the same points, rather than the one that was sampled: a later version of it, say. It must
        lie on the same grid. The strata are then not its classes (Stehman 2014).
    out
        The folder for ``report.html``, ``report.csv`` and ``report.json``; None: that of the sample.

    Returns
    -------
    Reported
        With `Assessment`: error matrix, user's, producer's and overall accuracy, areas, and notes on what to know.

    Raises
    ------
    InputError
        If there is no sample, nothing is labelled, files of points contradict each other or do not fit the sample, or a
        part of the map has no labelled point.

    References
    ----------
    P. Olofsson et al.: Good practices for estimating area and assessing accuracy of land change. Remote Sensing of
    Environment 148 (2014) 42-57.
    S. V. Stehman: Estimating area and map accuracy for stratified random sampling when the strata are different from
    the map classes. International Journal of Remote Sensing 35 (2014) 4923-4939.

    Examples
    --------
    >>> report("check").assessment.overall  # doctest: +SKIP
    """
    given = Path(sample)
    folder = given.parent if given.is_file() else given
    drawn = Sample.load(folder)
    assessment = assess(drawn, read_references(drawn, given), map)
    target = folder if out is None else Path(out)
    with saying(target):
        target.mkdir(parents=True, exist_ok=True)
        return Reported(assessment, tuple(write_assessment(assessment, target)))


def areas(map: str | os.PathLike[str], zones: str | os.PathLike[str] | None = None) -> ClassAreas:
    """Count what each class of a map covers, without a sample that checks it: `terrasift.raster.class_areas`."""
    return class_areas(map, zones)
