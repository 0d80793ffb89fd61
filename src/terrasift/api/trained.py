"""A trained run, and what can be done with it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from terrasift.api.evaluating import MaskFolders, evaluate_run, labelled_images
from terrasift.api.labelled import predict_labelled
from terrasift.api.many import Predictions, open_sheets, polygon_paths, predict_each, try_mosaic
from terrasift.api.shown import run_html, run_line
from terrasift.api.teaching import suggest_for, teach_run
from terrasift.blocks.choices import Mapping, RegionsSeen
from terrasift.data.images import Image, Images, as_files
from terrasift.data.scaling import checked_array
from terrasift.data.scenes import ImagePaths
from terrasift.data.stac import is_item_file
from terrasift.errors import InputError, SettingError
from terrasift.evaluation import Evaluation
from terrasift.exporting import Comparison, Program, export_run
from terrasift.legend import Legend
from terrasift.opened import OpenedRun
from terrasift.prediction import (
    DaskPredictor,
    MapOptions,
    Segmenter,
    WithSurroundings,
    check_nothing_there,
    map_paths,
    predict_probabilities,
    predict_scene,
)
from terrasift.raster import (
    Raster,
    RasterInfo,
    Source,
    check_polygons_path,
    check_probabilities_path,
    image_of,
    is_labelled,
    with_surroundings,
    write_polygons,
    write_qgis_style,
)
from terrasift.teaching import Labels, MapPoint, Taught
from terrasift.workers import open_client

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

__all__ = ["Run"]


class Run(OpenedRun):
    """A trained run: its folder, and what can be done with it.

    Examples
    --------
    >>> run = Run.open("runs/city")  # doctest: +SKIP
    >>> run.predict("scene.tif", "map.tif")  # doctest: +SKIP
    """

    def __repr__(self) -> str:
        return run_line(self)

    def _repr_html_(self) -> str:
        return run_html(self)

    def report(self) -> Path:
        """Write ``report.html``, all that is known of the run on one page; returns it."""
        from terrasift.report.run import write_run_report  # with matplotlib, which maps do without

        return write_run_report(self)

    @overload
    def predict(
        self,
        scene: Image,
        out: str | os.PathLike[str],
        options: MapOptions = MapOptions(),
        *,
        beside: Sequence[str] = (),
    ) -> Path: ...

    @overload
    def predict(
        self, scene: DataArray | Dataset, out: None = None, options: MapOptions = MapOptions()
    ) -> DataArray: ...

    def predict(
        self,
        scene: Image,
        out: str | os.PathLike[str] | None = None,
        options: MapOptions = MapOptions(),
        *,
        beside: Sequence[str] = (),
    ) -> Path | DataArray:
        """Write the class map of a scene on the scene's own grid, and the style that QGIS draws it with (``.qml``).

        Parameters
        ----------
        scene
            Any path GDAL opens; xarray's DataArray, or Dataset, whose variables are bands; a STAC item, or its file.
        out
            ``.tif`` (Cloud Optimized, with the scene's CRS and transform, colour table and class names) or ``.png``.
            None, of xarray's: nothing is written.
        options
            What else is written, and how.
        beside
            Files that may lie beside the scene's, which is then seen as by `predict_all`: with what those that touch
            it on its grid show beyond its edges. Probabilities are of the scene alone.

        Returns
        -------
        Path or DataArray
            `out`; without, the class map with the scene's coordinates and CRS, its nodata, and its classes as
            `flag_values` and `flag_meanings`, the same as the file's pixel for pixel. Where the scene's chunks are
            Dask's, so are the map's: it is computed when it is asked for.

        Raises
        ------
        InputError
            If the scene does not fit the network, if `out` cannot be written, or if it was begun with anything else
            and is to be resumed.
        """
        legend = self._legend_for(options)
        predictor = self.predictor_for(legend)
        if out is None:
            if not is_labelled(scene):
                raise InputError("out", "is missing", "name a file; without one, a DataArray is mapped to a DataArray")
            return predict_labelled(predictor, legend, scene, options)
        if is_labelled(scene):
            return self._predict(predictor, image_of(scene, "scene", self.recipe.bands), Path(out), options)
        if isinstance(scene, str | os.PathLike) and not is_item_file(scene):
            path = os.fspath(scene)
            sheets = open_sheets([path, *beside], self.prediction_recipe)
            return self._predict(predictor, path, Path(out), options, sheets)
        with as_files(scene, self.recipe.bands) as paths:
            if len(paths) > 1:
                raise InputError("scene", f"is {len(paths)} images", "map them by `predict_all`")
            return self._predict(predictor, paths[0], Path(out), options)

    def predict_all(
        self,
        scenes: Images,
        out: str | os.PathLike[str],
        options: MapOptions = MapOptions(),
        *,
        overwrite: bool = False,
        workers: int = 1,
        scheduler: str | None = None,
    ) -> Predictions:
        """Write the class maps of many scenes, and a mosaic of them. One that fails stops none of the others.

        Scenes on one grid that touch are sheets of one image: each is seen with what its neighbours show beyond its
        edges, so that their maps meet without a seam.

        Parameters
        ----------
        scenes
            Files, folders, glob patterns, lists of scenes (``.txt``), or any path GDAL opens; arrays and STAC items.
        out
            A file (``.tif``, ``.png``) for one scene; else a folder, where each map takes its scene's name.
        options
            As for `predict`; of many scenes its `vector` is a folder, where each GeoPackage takes its map's name.
        overwrite
            Replace files that stand where maps go. Without it a resumed prediction replaces only maps of its own kind.
        workers
            Processes of this machine that compute windows; 1: this process itself.
        scheduler
            Address of a Dask scheduler whose workers compute windows instead. They open scenes under the same paths;
            maps are written by this process.

        Raises
        ------
        InputError
            If there is no scene, if one's map would replace another's or a file, or, with a single scene, as for
            `predict`.
        SettingError
            If Dask is asked for but not installed, or if there is no scheduler at the address.
        """
        with as_files(scenes, self.recipe.bands) as paths:
            return self._predict_files(paths, out, options, overwrite, workers, scheduler)

    def _predict_files(
        self,
        paths: list[str],
        out: str | os.PathLike[str],
        options: MapOptions,
        overwrite: bool,
        workers: int,
        scheduler: str | None,
    ) -> Predictions:
        targets = dict(zip(paths, map_paths(paths, out), strict=True))
        polygons = polygon_paths(targets, options.vector)
        if options.probabilities is not None and len(paths) > 1:
            raise SettingError("probabilities", f"is one file for {len(paths)} scenes", "map them one at a time")
        if not overwrite:
            check_nothing_there([*targets.values(), *polygons.values()], resume=options.resume)
        legend = self._legend_for(options)
        with contextlib.ExitStack() as stack:
            predictor = self.predictor_for(legend)
            segmenter: Segmenter = predictor
            beside, stop = 1, lambda: None
            if workers > 1 or scheduler is not None:
                client = stack.enter_context(open_client(workers, scheduler))
                segmenter = DaskPredictor(client, predictor.network, self.prediction_recipe, predictor.clusters)
                beside, stop = min(len(paths), _SCENES_AT_A_TIME), client.close

            sheets = open_sheets(paths, self.prediction_recipe)

            def predict(scene: str, target: Path) -> Path:
                own = dataclasses.replace(options, vector=polygons.get(scene))
                return self._predict(segmenter, scene, target, own, sheets)

            done = predict_each(predict, targets, beside, stop)
        done = dataclasses.replace(done, polygons=[path for path in polygons.values() if path.exists()])
        if len(done.maps) < 2:
            return done
        return dataclasses.replace(done, mosaic=try_mosaic(done.maps, Path(out), legend))

    def _predict(
        self, segmenter: Segmenter, scene: Source, out: Path, options: MapOptions, sheets: Sequence[RasterInfo] = ()
    ) -> Path:
        legend = self._legend_for(options)
        with Raster(scene) as raster:
            surrounded = with_surroundings(raster, sheets, self.predictor.margin) if sheets else None
            if surrounded is not None:
                segmenter = WithSurroundings(segmenter, surrounded)
            if options.vector is not None:
                check_polygons_path(options.vector, raster.info)
            if options.probabilities is not None:
                check_probabilities_path(options.probabilities)
            path = predict_scene(segmenter, legend, raster, out, self._job(raster.state, legend, options), options)
        write_qgis_style(path, legend)
        if options.vector is not None:
            write_polygons(path, options.vector, min_area=options.min_area)
            write_qgis_style(options.vector, legend)
        if options.probabilities is not None:
            predict_probabilities(self.predictor_for(legend), legend, scene, options.probabilities)
        return path

    def _legend_for(self, options: MapOptions) -> Legend:
        if not options.clusters:
            return self.legend
        # Of the classifier whose clusters the legend names: what the map shows is what the legend is about.
        return Legend(self.cluster_legend.classes, classifier=self.legend.classifier)

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
        legend = self.legend
        values, inside = checked_array(array, valid, self.recipe)
        predictor = self.predictor_for(legend)
        found = predictor.array(values, inside)[legend.classifier - 1]
        return np.where(inside, legend.table(predictor.clusters)[found], legend.nodata).astype(legend.dtype)

    def teach(
        self,
        labels: Labels | str | os.PathLike[str] | None = None,
        *,
        scenes: Images | None = None,
        classes: Legend | str | os.PathLike[str] | None = None,
    ) -> Taught:
        """Learn classes from a few labels; the maps of this run show them from now on (docs/teach.md).

        A multinomial logistic regression of the features that the network sees in labelled superpixels, leaning towards
        the classes that turn out to be frequent in the scenes, becomes a classifier of the run, and the run's legend
        becomes its classes. `undo_legend` takes the legend before.

        Parameters
        ----------
        labels
            Points or polygons: a file with a column ``class`` (GeoPackage, GeoJSON, Shapefile), a CSV with x, y and
            class, a sparse mask with the name of its scene or a folder of such; None: the run's own ``labels.geojson``,
            which the page of `terrasift view` keeps.
        scenes
            Where labels are sought; None: the training images.
        classes
            Names and colours of the classes, or the file that lists them; None: the labels' own names.

        Returns
        -------
        Taught
            The legend, the accuracy to expect by cross-validation, and what became of the labels.

        Raises
        ------
        InputError
            If the labels cannot be read, or none is left: see `terrasift.teaching.teach`.
        RunError
            If no training image is where it was, or the run keeps no labels.

        References
        ----------
        Bar-Hillel, Hertz, Shental and Weinshall, "Learning a Mahalanobis Metric from Equivalence Constraints", JMLR 6,
        2005, for the metric in which the regression is regularised. Saerens, Latinne and Decaestecker, "Adjusting the
        Outputs of a Classifier to New a Priori Probabilities", Neural Computation 14, 2002, for the frequencies.
        """
        return teach_run(self, labels, scenes, classes)

    def suggest(self, count: int, *, scenes: Images | None = None) -> list[MapPoint]:
        """Places where labels would help most, the most helpful first: together they stand for all the others.

        The labels themselves are not kept in a run: `Taught.suggest` leaves out what they stand for already.

        Parameters
        ----------
        count
            How many.
        scenes
            Where; None: the training images. A bounded sample of their windows is looked at.

        References
        ----------
        Hacohen, Dekel and Weinshall, "Active Learning on a Budget", ICML 2022, for typical places (`suggest_rows`).
        """
        return suggest_for(self, count, scenes)

    def export(
        self,
        out: str | os.PathLike[str],
        scene: str | os.PathLike[str] | None = None,
        program: Program | None = None,
    ) -> Comparison:
        """Write the run as one file that other programs execute: band values in, logits and classes out.

        Parameters
        ----------
        out
            ``.onnx``, or ``.pt2`` for `torch.export.load`.
        scene
            Whose context the network holds; needed unless ``predict.context`` is ``patch``.
        program
            What will execute it: ``onnx`` for any runtime of ONNX, ``torch`` for PyTorch, ``deepness`` for the plugin
            of QGIS; None goes by the suffix.

        Returns
        -------
        Comparison
            How near the file comes to the run on random values.

        Raises
        ------
        SettingError
            If a package is missing, or a scene, or if the program cannot do with this run.
        RunError
            If the file does not do what the run does; nothing is left of it then.
        """
        legend = self.legend
        return export_run(self, self.predictor_for(legend), out, scene, program)

    def evaluate(
        self,
        images: ImagePaths,
        masks: MaskFolders,
        classes: Legend | str | os.PathLike[str],
        *,
        map_images: ImagePaths | None = None,
        map_masks: MaskFolders = None,
        mapping: Mapping = "majority",
        regions: RegionsSeen = "classes",
        baselines: bool = True,
        keep_legend: bool = False,
    ) -> Evaluation:
        """Find which class each cluster is on one set of labelled images, and score that on another.

        k-means with as many clusters, on pixels and on superpixels, is mapped and scored beside the run: what it has to
        beat. It is fitted on the images of the mapping set, for they are at hand; else on those of the run's own that
        are still there, else on the test set. Of large sets a seeded sample is read. ``evaluation.json`` keeps it all.

        Parameters
        ----------
        images, masks
            The test set: images, and the folder or folders that hold a mask of the same name for each; None: folders
            called ``masks`` beside the images' own.
        classes
            Names and colours of the classes, or the file that lists them.
        map_images, map_masks
            The set on which clusters are mapped to classes; None: the test set itself, which flatters the scores.
        mapping
            ``majority`` or ``hungarian``; or ``legend``: the classes that the run's legend holds, by their names, score
            as they are, and nothing is replaced. Clusters without a class count nowhere then.
        regions
            What the region metrics see: ``classes``, as the study does, or the raw ``clusters``.
        baselines
            Whether to score k-means too. Nothing is beside a ``legend``: k-means has none. A baseline that cannot be
            fitted is left out with a line in the log.
        keep_legend
            Leave the run's legend alone. Else it takes the mapping of the classifier that is most accurate on the
            mapping set, whatever its classes were called before; the legend it had goes to ``legend.previous.yaml``.
            Clusters that lie on no labelled pixel of the mapping set get no class in it, and are nodata in maps: the
            scores take them for the most frequent class.

        Raises
        ------
        InputError
            If an image has no mask, or one of another size, or with colours that `classes` does not name; if `mapping`
            is ``legend``, and the legend has classes that `classes` does not name.
        SettingError
            If images are named to map by, and `mapping` is ``legend``.
        """
        legend, tested = Legend.of(classes), labelled_images(images, masks)
        if mapping == "legend" and (map_images is not None or map_masks is not None):
            raise SettingError("map_images", "decide nothing: the legend is the mapping", "leave them out")
        mapped = None if map_images is None else labelled_images(map_images, map_masks or masks)
        found = evaluate_run(self, legend, tested, mapped, mapping=mapping, regions=regions, baselines=baselines)
        found.save(self.evaluation_file)
        if mapping != "legend" and not keep_legend:
            self.save_legend(legend.with_clusters(found.best.known_mapping, found.best.classifier))
        return found

    def _job(self, scene: list[list[Any]], legend: Legend, options: MapOptions) -> str:
        """A digest of all that a map depends on."""
        parts = {
            "version": version("terrasift"),
            "weights": self.weights_digest,
            "recipe": self.prediction_recipe.model_dump(mode="json", exclude={"compute"}),
            "legend": asdict(legend),
            "scene": scene,
            "options": [options.confidence, options.min_area],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


_SCENES_AT_A_TIME = 8  # on a cluster, so that the end of one scene leaves no worker idle
