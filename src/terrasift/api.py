"""The Python interface: the rooms joined into what a user does."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.data.batches import PatchBatches
from terrasift.data.indexing import index_images
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.precomputed import regions_of
from terrasift.data.regions import RegionCache, default_cache_folder
from terrasift.data.scenes import find_masks, find_scenes
from terrasift.errors import RunError, SettingError
from terrasift.evaluation import Evaluation, LabelledImage, evaluate_segmenter
from terrasift.legend import Legend
from terrasift.mapping import MappingMethod, Regions
from terrasift.prediction import ClusterWindow, Predictor, check_array, map_paths, predict_scene
from terrasift.progress import progress_bar, track
from terrasift.raster import Raster, RasterInfo, check_polygons_path, write_polygons, write_qgis_style
from terrasift.recipe import Recipe
from terrasift.run import RunFolder, network_of
from terrasift.training import fit, make_fabric

__all__ = ["Run", "labelled_images", "train"]

_logger = logging.getLogger(__name__)


class Run(RunFolder):
    """A trained run: its folder, and what can be done with it.

    Examples
    --------
    >>> run = Run.open("runs/city")  # doctest: +SKIP
    >>> run.predict("scene.tif", "map.tif")  # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str], changes: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._changes = tuple(changes)

    @classmethod
    def open(cls, path: str | os.PathLike[str], changes: Sequence[str] = ()) -> Run:
        """Open a finished run.

        Parameters
        ----------
        path
            The run's folder.
        changes
            ``KEY=VALUE`` each, for keys that do not change what was trained: those under `predict` and `compute`.

        Raises
        ------
        RunError
            If the folder is not a finished run.
        SettingError
            If another key is to be changed.
        """
        run = cls(path, changes)
        _ = run.predictor
        return run

    @functools.cached_property
    def settings(self) -> Recipe:
        """The recipe, with the changes this run was opened with."""
        trained = self.recipe
        changed = Recipe.load(self.recipe_file, self._changes)
        for name in Recipe.model_fields:
            if name not in ("predict", "compute") and getattr(changed, name) != getattr(trained, name):
                raise SettingError(name, "cannot be changed once a run is trained", "change keys of predict or compute")
        return changed

    @functools.cached_property
    def predictor(self) -> Predictor:
        """The trained network, loaded once."""
        network = self.load_network()
        return Predictor(network, self.settings)

    @property
    def is_mapped(self) -> bool:
        """Whether the legend holds classes rather than the clusters themselves."""
        return self.legend.names != Legend.of_clusters(self.recipe.clusters).names

    def predict(
        self,
        scene: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        clusters: bool = False,
        vector: str | os.PathLike[str] | None = None,
        min_area: float = 0.0,
        resume: bool = False,
        show: bool = True,
    ) -> Path:
        """Write the class map of a scene on the scene's own grid, and the style that QGIS draws it with (``.qml``).

        Parameters
        ----------
        scene
            Any path GDAL opens.
        out
            ``.tif`` (Cloud Optimized, with the scene's CRS and transform, colour table and class names) or ``.png``.
        clusters
            Write the network's own clusters instead of the legend's classes.
        vector
            Write the map's regions as polygons too: a GeoPackage (``.gpkg``) or GeoJSON (``.geojson``).
        min_area
            Polygons smaller than this, in square metres (pixels where the scene has no CRS), go to the largest beside
            them.
        resume
            Go on where the same prediction was killed or interrupted; the map is the same, byte for byte, as if it had
            never been. A map that is whole is left as it is, provided that the run, the scene, the legend and the
            settings of `predict` are still those it was made with.
        show
            Whether to draw a progress bar.

        Returns
        -------
        Path
            `out`.

        Raises
        ------
        InputError
            If the scene does not fit the network, if `out` cannot be written, or if it was begun with anything else
            and is to be resumed.
        """
        recipe = self.settings
        legend = Legend.of_clusters(recipe.clusters) if clusters else self.legend
        bar = functools.partial(_track_pixels, description=Path(scene).name, show=show)
        if vector is not None:
            with Raster(scene) as raster:
                check_polygons_path(vector, raster.info)
        job = self._job(scene, legend)
        path = predict_scene(self.predictor.scene, legend, recipe.clusters, scene, out, bar, job, resume=resume)
        write_qgis_style(path, legend)
        if vector is not None:
            write_polygons(path, vector, min_area=min_area)
            write_qgis_style(vector, legend)
        return path

    def predict_all(
        self,
        scenes: Sequence[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        clusters: bool = False,
        vector: str | os.PathLike[str] | None = None,
        min_area: float = 0.0,
        resume: bool = False,
        show: bool = True,
    ) -> list[Path]:
        """Write the class maps of many scenes.

        Parameters
        ----------
        scenes
            Files, folders, glob patterns, or any path GDAL opens.
        out
            A file (``.tif``, ``.png``) for one scene; else a folder, where each map takes its scene's name.
        clusters, vector, min_area, resume, show
            As for `predict`; `vector` with one scene only.
        """
        paths = find_scenes(scenes)
        targets = map_paths(paths, out)
        if vector is not None and len(paths) > 1:
            raise SettingError("--vector", f"is one file for {len(paths)} scenes", "map them one at a time")
        return [
            self.predict(path, target, clusters=clusters, vector=vector, min_area=min_area, resume=resume, show=show)
            for path, target in zip(paths, targets, strict=True)
        ]

    def predict_array(self, array: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> NDArray[np.integer[Any]]:
        """Class indices of an array that fits into memory whole.

        Parameters
        ----------
        array
            (H, W, bands) or (H, W), in the dtype the run was trained on, holding the bands it reads and no others.
        valid
            (H, W), bool: pixels that hold data. None means all that are finite.

        Returns
        -------
        ndarray
            (H, W), uint8 (uint16 with more than 255 classes): class indices; 255 (65535) where there is no data.

        Raises
        ------
        InputError
            If the array's shape or dtype does not fit the network.
        """
        recipe = self.recipe
        values = array[:, :, None] if array.ndim == 2 else array
        check_array(values, recipe)
        if valid is None:
            valid = np.isfinite(values).all(axis=2)
        legend = self.legend
        found = self.predictor.array(values, valid)[legend.classifier - 1]
        return np.where(valid, legend.table(recipe.clusters)[found], legend.nodata).astype(legend.dtype)

    def evaluate(
        self,
        images: Sequence[str | os.PathLike[str]],
        masks: str | os.PathLike[str],
        classes: Legend | str | os.PathLike[str],
        *,
        map_images: Sequence[str | os.PathLike[str]] | None = None,
        map_masks: str | os.PathLike[str] | None = None,
        mapping: MappingMethod = "majority",
        regions: Regions = "classes",
        keep_legend: bool = False,
        show: bool = True,
    ) -> Evaluation:
        """Find which class each cluster is on one set of labelled images, and score that on another.

        Parameters
        ----------
        images, masks
            The test set: images, and the folder that holds a mask of the same name for each.
        classes
            Names and colours of the classes, or the file that lists them.
        map_images, map_masks
            The set on which clusters are mapped to classes; None: the test set itself, which flatters the scores.
        mapping
            ``majority`` or ``hungarian``.
        regions
            What the region metrics see: ``classes``, as the study does, or the raw ``clusters``.
        keep_legend
            Leave the run's legend alone. Else it takes the mapping of the classifier that is most accurate on the
            mapping set; the legend it had goes to ``legend.previous.yaml``.
        show
            Whether to draw progress bars.

        Raises
        ------
        InputError
            If an image has no mask, or one of another size, or with colours that `classes` does not name.
        """
        legend = classes if isinstance(classes, Legend) else Legend.load(classes)
        evaluation = evaluate_segmenter(
            self.predictor.scene,
            legend,
            self.recipe.clusters,
            labelled_images(images, masks),
            None if map_images is None else labelled_images(map_images, map_masks or masks),
            method=mapping,
            regions=regions,
            track=functools.partial(track, show=show),
        )
        if not keep_legend:
            self.save_legend(legend.with_clusters(evaluation.best.mapping, evaluation.best.classifier))
        return evaluation

    def _job(self, scene: str | os.PathLike[str], legend: Legend) -> str:
        """A digest of all that a map depends on."""
        file = Path(scene).stat() if Path(scene).exists() else None
        parts = {
            "weights": self._weights_digest,
            "recipe": self.settings.model_dump(mode="json", exclude={"compute"}),
            "legend": asdict(legend),
            "scene": [str(scene), file.st_size, file.st_mtime_ns] if file else [str(scene)],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @functools.cached_property
    def _weights_digest(self) -> str:
        with self.weights_file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def labelled_images(images: Sequence[str | os.PathLike[str]], masks: str | os.PathLike[str]) -> list[LabelledImage]:
    """Images, each with the mask of its name in a folder; InputError where one is missing."""
    scenes = find_scenes(images)
    return [LabelledImage(scene, mask) for scene, mask in zip(scenes, find_masks(scenes, masks), strict=True)]


def train(
    images: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    recipe: Recipe | str | None = None,
    *,
    resume: bool = False,
    cache: str | os.PathLike[str] | None = None,
    use_cache: bool = True,
    cache_limit: int = 10_000_000_000,
    show: bool = True,
) -> Run:
    """Train a network on images that nobody has labelled.

    Parameters
    ----------
    images
        Files, folders, glob patterns, or any path GDAL opens.
    out
        The run's folder.
    recipe
        A recipe or the name of one; None means ``default``, or the run's own if it is resumed.
    resume
        Go on with a run that was interrupted. It ends with the weights it would have had; on the CPU, bit for bit.
    cache
        Where superpixels are kept for the next run; None: the user's cache folder.
    use_cache
        Whether to keep them at all. If not, they last as long as this training.
    cache_limit
        Bytes that the cache may hold; those longest unused go first, when the training ends.
    show
        Whether to draw progress bars.

    Returns
    -------
    Run
        Finished.

    Raises
    ------
    InputError
        If an image cannot be used.
    SettingError
        If the recipe asks for what the images or the machine do not have.
    RunError
        If `out` holds a run and `resume` is False, or if the run is another recipe's.
    """
    run = Run(out)
    recipe = Recipe.load(recipe) if isinstance(recipe, str) else recipe
    recipe = _continue(run, recipe) if resume and run.has_begun else _fresh(run, recipe)
    if run.is_finished:
        _logger.info("%s is finished already", run.path)
        return run
    fabric = make_fabric(recipe)
    fabric.launch()
    show = show and fabric.is_global_zero
    scenes = find_scenes(images)
    run.check_images(scenes)
    recipe, infos, patches = _index(scenes, recipe, show)
    torch.manual_seed(recipe.seed)
    network = network_of(recipe)
    temporary = run.path / "superpixels"
    made_regions = RegionCache((cache or default_cache_folder()) if use_cache else temporary, recipe.refinement)
    source = PatchBatches(
        patches,
        PatchReader(recipe.bands, recipe.scaling),
        regions_of(recipe.refinement, infos, made_regions),
        recipe.patch,
        recipe.batch_size,
        recipe.seed,
        workers=recipe.compute.workers,
        process=fabric.global_rank,
        processes=fabric.world_size,
    )
    if fabric.is_global_zero:
        run.make_folder()
        _logger.info("training on %s: %d patches of %d images", fabric.device, len(patches), len(scenes))
        with _removed_on_failure(temporary):
            bar = functools.partial(track, description="superpixels", show=show)
            source.prepare(recipe.total_steps(source.steps_per_epoch), bar)
        run.begin(recipe, scenes)
    fabric.barrier()
    fit(fabric, network, source, recipe, run, show=show)
    if fabric.is_global_zero:
        run.finish(network)
        made_regions.trim(cache_limit)
        shutil.rmtree(temporary, ignore_errors=True)
    fabric.barrier()
    return run


@contextlib.contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """If the block fails, remove a folder, and its parent where nothing else is in it."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
        raise


def _track_pixels(
    windows: Iterable[ClusterWindow], pixels: int, done: int, description: str, show: bool
) -> Iterator[ClusterWindow]:
    with progress_bar(description, pixels, show=show, done=done) as advance:
        for part in windows:
            yield part
            advance("", part.window.height * part.window.width)


def _fresh(run: RunFolder, recipe: Recipe | None) -> Recipe:
    if run.has_begun:
        raise RunError(run.path, "holds a run already", "go on with it by --resume, or choose another folder")
    if run.path.exists() and not run.path.is_dir():
        raise RunError(run.path, "is a file", "choose another folder")
    return recipe or Recipe.load("default")


def _continue(run: RunFolder, recipe: Recipe | None) -> Recipe:
    begun = run.recipe
    if recipe is None:
        return begun
    if recipe.compute.devices != begun.compute.devices:
        raise RunError(run.path, f"was begun with compute.devices {begun.compute.devices}", "resume it with as many")
    asked = recipe.model_copy(update={"scaling": recipe.scaling or begun.scaling, "compute": begun.compute})
    if asked != begun:
        changed = [name for name in Recipe.model_fields if getattr(asked, name) != getattr(begun, name)]
        raise RunError(
            run.path,
            f"was begun with another {', '.join(changed)}",
            "resume it with its own recipe, or choose another folder",
        )
    return begun.model_copy(update={"compute": recipe.compute})


def _index(scenes: Sequence[str], recipe: Recipe, show: bool) -> tuple[Recipe, list[RasterInfo], list[Patch]]:
    bar = functools.partial(track, description="windows", show=show)
    infos, patches, scaling = index_images(scenes, recipe, bar)
    colors, count = recipe.refinement.color_bands, len(scaling.low)
    if recipe.refinement.method == "external" and max(colors) > count:
        raise SettingError(
            "refinement.color_bands",
            f"{list(colors)} names more than the {count} bands of the run",
            "use [1,1,1] for one",
        )
    return recipe.model_copy(update={"scaling": scaling}), infos, patches
