"""A run's folder: what is in it, opened and saved."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import RunError, TerrasiftError
from terrasift.files import file_digest, locked, read_json, read_text, saying, whole, write_bytes, write_text
from terrasift.files.arrays import read_npz, read_texts
from terrasift.legend import Legend
from terrasift.legend.changes import edited
from terrasift.recipe import Recipe
from terrasift.run.legend_file import LegendFile
from terrasift.run.log import LogWriter, TrainingLog
from terrasift.run.taught_file import TaughtFile

if TYPE_CHECKING:  # PyTorch takes seconds to import, and most of a folder does without
    from terrasift.blocks.taught import TaughtClassifier
    from terrasift.network import Network

__all__ = ["RunFolder", "absolute_path", "network_of"]


class RunFolder:
    """What training leaves behind. The first three files are all that prediction needs; none holds code.

    - ``recipe.yaml``: every setting, with the scaling measured on the training images
    - ``weights.safetensors``: the trained network
    - ``legend.yaml``: the classes, and the clusters each one holds; ``legend.previous.yaml``: those before
    - ``taught.safetensors``: the classifiers that labels have taught, by the names that legends know them by
    - ``labels.geojson``: the labels clicked in the page of `terrasift view`
    - ``discovery.safetensors``: with ``targets: contrast`` what was discovered: filters, embedding, cluster centres
    - ``images.txt``: what it was trained on; files by their absolute paths
    - ``trained_on/``: those of them that were arrays
    - ``log.csv``: a row for each step
    - ``machine.json``: versions, device and peak memory of the training
    - ``evaluation.json``: every score, once it has been evaluated
    - ``clusters-1.npz``: what was found out about the clusters of classifier 1; made anew where it is missing
    - ``report.html``: all of it as one page
    - ``superpixels/``, ``targets.safetensors``, ``checkpoints/``: only while training, for resuming
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.yaml"
        self.weights_file = self.path / "weights.safetensors"
        self._taught = TaughtFile(self.path)
        self.taught_file = self._taught.path
        self.labels_file = self.path / "labels.geojson"
        self.images_file = self.path / "images.txt"
        self.trained_on_folder = self.path / "trained_on"
        self.log_file = self.path / "log.csv"
        self.machine_file = self.path / "machine.json"
        self.evaluation_file = self.path / "evaluation.json"
        self.report_file = self.path / "report.html"
        self.discovery_file = self.path / "discovery.safetensors"
        self.targets_file = self.path / "targets.safetensors"
        self.superpixels_folder = self.path / "superpixels"
        self.checkpoint_file = self.path / "checkpoints" / "last.ckpt"
        self._legend = LegendFile(self.path)
        self.legend_file = self._legend.path

    def facts_file(self, classifier: int) -> Path:
        """Where it is kept what was found out about a classifier's clusters."""
        return self.path / f"clusters-{classifier}.npz"

    @property
    def has_begun(self) -> bool:
        """Whether there is a recipe."""
        return self.recipe_file.exists()

    @property
    def is_finished(self) -> bool:
        """Whether there are final weights."""
        return self.weights_file.exists()

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The recipe that the network is, or was, trained with, read once."""
        if not self.has_begun:
            raise RunError(
                self.path, "is not a run: it has no recipe.yaml", "name a folder that `terrasift train` wrote"
            )
        return Recipe.load(self.recipe_file)

    @property
    def trained_on(self) -> list[str]:
        """The images it was trained on, as they were listed; none where no list is kept."""
        if not self.images_file.exists():
            return []
        return read_text(self.images_file, RunError, "restore it, or delete it: prediction does without").splitlines()

    @property
    def log(self) -> TrainingLog | None:
        """What each step did, those before a training was killed and went on included; None where no log is kept."""
        return TrainingLog.load(self.log_file) if self.log_file.exists() else None

    def open_log(self, classifiers: int, steps_done: int) -> LogWriter:
        """Begin the log, or go on with it after so many steps."""
        return LogWriter(self.log_file, classifiers, steps_done)

    @property
    def training_seconds(self) -> float | None:
        """Of all steps in the log; None without a log."""
        log = self.log
        return None if log is None else float(log.seconds.sum())

    @property
    def machine(self) -> dict[str, Any]:
        """Versions, device and peak memory of the training; empty where the run does not say."""
        try:
            content = read_json(self.machine_file)
        except TerrasiftError:
            return {}
        facts = content if isinstance(content, dict) else {}
        numbers = {name: value for name, value in facts.items() if isinstance(value, int) and 0 <= value < _MOST_BYTES}
        return numbers | {name: value for name, value in facts.items() if isinstance(value, str)}

    def save_machine(self, facts: Mapping[str, Any]) -> None:
        """Write down what it was trained with."""
        write_text(self.machine_file, json.dumps(facts, indent=2) + "\n")

    def check_images(self, scenes: Sequence[str]) -> None:
        """Check that a run goes on with the images it was begun with; RunError if not."""
        if not self.has_begun or not self.images_file.exists():
            return
        if list(map(absolute_path, self.trained_on)) != list(map(absolute_path, scenes)):
            raise RunError(self.path, "was begun with other images (images.txt lists them)", "resume it with those")

    @functools.cached_property
    def identity(self) -> str:
        """What tells a training from any other: its recipe, images and discovery; "" before it has begun.

        It stands in the checkpoints, whose tensors may well fit another run.
        """
        if not self.has_begun:
            return ""
        recipe = self.recipe.model_dump(mode="json", exclude={"compute", "predict"})
        found = file_digest(self.discovery_file) if self.discovery_file.exists() else ""
        return _digest(json.dumps([recipe, self.trained_on, found], sort_keys=True).encode())

    @contextlib.contextmanager
    def in_training(self) -> Iterator[None]:
        """Within the block, no other process trains this run.

        Raises
        ------
        RunError
            If one does, or if the folder cannot be made.
        """
        is_new, claim = not self.path.exists(), contextlib.ExitStack()
        try:
            claim.enter_context(locked(self.checkpoint_file.parent))
        except BlockingIOError as error:
            mend = "wait for it, or choose another folder"
            raise RunError(self.path, "is being trained by another process", mend) from error
        except OSError as error:
            raise RunError(self.path, f"cannot be written ({error.strerror})", "choose another folder") from error
        try:
            with claim:
                yield
        finally:
            if is_new and not self.has_begun:
                with contextlib.suppress(OSError):  # something else is in it
                    self.path.rmdir()

    def begin(self, recipe: Recipe, scenes: Sequence[str]) -> None:
        """Make the folder, write the list of training images and, last, the recipe.

        Raises
        ------
        RunError
            If the folder cannot be made.
        """
        with saying(self.path, RunError):
            self.checkpoint_file.parent.mkdir(parents=True, exist_ok=True)
            if not self.has_begun:
                write_text(self.images_file, "".join(f"{absolute_path(path)}\n" for path in scenes))
            recipe.save(self.recipe_file)
        self.recipe = recipe

    def abandon(self) -> None:
        """Take back what was written, the folder too if nothing else is in it: training cannot begin after all."""
        for folder in (self.checkpoint_file.parent, self.superpixels_folder):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.recipe_file, self.images_file, self.discovery_file, self.targets_file):
            file.unlink(missing_ok=True)
        for name in ("recipe", "identity"):
            self.__dict__.pop(name, None)  # what was read is gone
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def load_taught(self, name: str) -> TaughtClassifier:
        """The taught classifier that a legend speaks of; RunError if it is not there."""
        return self._taught.load(name)

    def save_taught(self, classifier: TaughtClassifier, pixels: NDArray[np.int64]) -> str:
        """Keep a taught classifier beside those of the present legend and the one before; its name, for a legend.

        `pixels` (C,) are those of each of its outputs in a sample of the scenes.
        """
        keep = []
        for path in (self.legend_file, self.path / "legend.previous.yaml"):
            with contextlib.suppress(TerrasiftError):
                keep.append(Legend.load(path).taught)
        return self._taught.save(classifier, pixels, keep)

    def clusters_of(self, legend: Legend) -> int:
        """How many clusters, or outputs of a taught classifier, a legend of this run can hold."""
        return self.load_taught(legend.taught).outputs if legend.taught else self.recipe.clusters

    @property
    def legend(self) -> Legend:
        """The legend, read anew; the clusters themselves where there is none.

        Raises
        ------
        InputError
            If it is not a legend, or not one for this run.
        """
        if not self.legend_file.exists():
            return self.cluster_legend
        return self.load_legend(self.legend_file)

    @property
    def is_mapped(self) -> bool:
        """Whether the legend holds classes rather than the clusters themselves."""
        return self.legend.names != self.cluster_legend.names

    @property
    def cluster_legend(self) -> Legend:
        """The legend of a run that nobody has mapped: each cluster is a class of its own."""
        return Legend.of_clusters(self.recipe.clusters)

    @property
    def previous_legend(self) -> Legend:
        """The legend before this one; RunError where there is none."""
        if not self._legend.previous.exists():
            raise RunError(self.path, "has no legend before this one", "nothing to undo")
        return self.load_legend(self._legend.previous)

    def load_legend(self, path: str | os.PathLike[str]) -> Legend:
        """A legend from any file; InputError if it is not one for this run's clusters."""
        legend = Legend.load(path, self.recipe.clusters, self.recipe.classifiers)
        if legend.weights and self.is_finished and legend.weights != self.weights_name:
            mend = "restore both from one run, or begin it anew: terrasift legend RUN --reset"
            raise RunError(path, "is of other weights: its clusters mean something else here", mend)
        return legend

    @property
    def weights_name(self) -> str:
        """What tells whether the weights are those that a legend or an evaluation speaks of; "" without weights."""
        return file_digest(self.weights_file)[:_NAME] if self.is_finished else ""

    @functools.cached_property
    def weights_digest(self) -> str:
        """What tells whether the weights have changed."""
        return file_digest(self.weights_file)

    @property
    def cluster_pixels(self) -> NDArray[np.int64] | None:
        """(K,): pixels of each cluster of the legend's classifier in a sample of the images; None if unknown.

        Where labels have taught the legend, (C,), of each output.
        """
        legend = self.legend
        if legend.taught:
            return self._taught.pixels(legend.taught)
        kept = self.load_facts(legend.classifier)
        return None if kept is None else kept["pixels"]

    def load_facts(self, classifier: int) -> dict[str, NDArray[Any]] | None:
        """What was found out about a classifier's clusters; None where nothing, or of other weights, or damaged."""
        try:
            facts = read_npz(self.facts_file(classifier), _FACTS, RunError)
        except RunError:
            return None
        known = str(facts.pop("weights")) == self.weights_digest and _fit_together(facts, self.recipe.clusters)
        return facts if known else None

    def save_facts(self, classifier: int, arrays: Mapping[str, Any]) -> None:
        """Keep what was found out about a classifier's clusters."""
        with whole(self.facts_file(classifier)) as partial:
            np.savez_compressed(partial, weights=np.array(self.weights_digest), **dict(arrays))

    @property
    def legend_digest(self) -> str:
        """What tells whether the legend's file has changed."""
        return self._legend.digest

    def save_legend(self, legend: Legend, seen: str | None = None) -> str | None:
        """Replace the legend; the one before, if it is another, goes to ``legend.previous.yaml``.

        Processes that save at once do so one after the other.

        Parameters
        ----------
        legend
            The new one.
        seen
            The `legend_digest` that the file must still have to be replaced; None: whatever it holds.

        Returns
        -------
        str or None
            The new digest; None if the file had another than `seen`: nothing is written then.

        Raises
        ------
        RunError
            If another process holds on to the legend.
        """
        return self._legend.save(dataclasses.replace(legend, weights=self.weights_name), seen)

    def change_legend(self, make: Callable[[], Legend]) -> Legend:
        """Replace the legend by what `make` makes, of the present one or of none, and return that.

        Raises
        ------
        RunError
            If somebody else has changed it while it was being made.
        """
        seen = self.legend_digest
        legend = make()
        if self.save_legend(legend, seen) is None:
            raise RunError(self.legend_file, "has been changed elsewhere meanwhile", "look at it, and try again")
        return legend

    def edit_legend(
        self,
        *,
        merges: Sequence[Sequence[int | str]] = (),
        splits: Sequence[int] = (),
        colors: Mapping[int | str, str] | None = None,
        names: Mapping[int | str, str] | None = None,
    ) -> Legend:
        """Join classes, split off clusters, recolour and rename, in this order; `undo_legend` takes it back.

        A class is named by its index or its name in the legend as it is before any of the changes.

        Parameters
        ----------
        merges
            Classes to be joined; the first of each keeps its name and colour.
        splits
            Clusters that get a class of their own.
        colors, names
            Of classes: ``{0: "road", "class 3": "water"}``.

        Raises
        ------
        SettingError
            If one cannot be done; nothing is.
        """
        return self.change_legend(
            lambda: edited(
                self.legend, self.recipe.clusters, merges=merges, splits=splits, colors=colors or {}, names=names or {}
            )
        )

    def undo_legend(self) -> Legend:
        """Take the legend before this one, which becomes the one before; RunError where there is none."""
        return self.change_legend(lambda: self.previous_legend)

    def reset_legend(self) -> Legend:
        """Make each cluster a class of its own again."""
        return self.change_legend(lambda: self.cluster_legend)

    def finish(self, network: Network) -> None:
        """Write the final weights, whole or not at all, and a legend; the checkpoints have served."""
        from safetensors.torch import save

        tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        trained_by = file_digest(self.discovery_file) if self.discovery_file.exists() else ""
        # One text: safetensors writes several in any order, and the same training makes the same bytes.
        content = save(tensors, {"recipe": f"{_weighed(self.recipe)}\n{trained_by}".strip()})
        if not self.legend_file.exists():
            name = _digest(content)
            dataclasses.replace(self.cluster_legend, weights=name).save(self.legend_file)
        write_bytes(self.weights_file, content)  # last: where they are, the run is finished
        for folder in (self.checkpoint_file.parent, self.superpixels_folder):
            shutil.rmtree(folder, ignore_errors=True)
        self.targets_file.unlink(missing_ok=True)

    def check_discovery(self) -> None:
        """Check that ``discovery.safetensors`` is the one that the weights were trained by; RunError if not.

        Weights written before they said so are not asked.
        """
        if self.is_finished:
            _, _, trained_by = read_texts(self.weights_file, RunError).get("recipe", "").partition("\n")
            if trained_by not in ("", file_digest(self.discovery_file)):
                mend = "restore it, or delete it: maps do without"
                raise RunError(self.discovery_file, "is not what these weights were trained by", mend)

    def load_network(self) -> Network:
        """The trained network, on the CPU, in evaluation mode.

        Raises
        ------
        RunError
            If the run is not finished, or its weights are not those of its recipe.
        """
        from terrasift.files.tensors import read_tensors

        recipe = self.recipe
        if not self.is_finished:
            raise RunError(self.path, "is not finished", "finish it by `terrasift train` with `resume=True`")
        network, mend = network_of(recipe), "restore both from one run"
        try:
            tensors, texts = read_tensors(self.weights_file, network.state_dict(), mend=mend)
        except RunError as error:
            what = f"does not hold the weights of recipe.yaml beside it: {error.what}"
            raise RunError(self.weights_file, what, mend) from error
        weighed, _, _ = texts.get("recipe", _weighed(recipe)).partition("\n")
        if weighed != _weighed(recipe):  # shapes may fit by chance, and the map be wrong
            raise RunError(self.weights_file, "was trained with another recipe than recipe.yaml beside it", mend)
        network.load_state_dict(tensors)
        return network.eval()


_FACTS = {
    **dict.fromkeys(("means", "deviations", "prototypes"), ("f", 2)),
    **{"pixels": ("i", 1), "adjacency": ("i", 2), "bands": ("U", 1), "weights": ("U", 0)},
    **{"crop_places": ("i", 2), "crop_shares": ("f", 1), "crop_scenes": ("U", 1)},
}
"""Kinds and dimensions of what is kept of clusters: `terrasift.clusters.kept`."""


def _fit_together(facts: Mapping[str, NDArray[Any]], clusters: int) -> bool:
    bands, crops = len(facts["bands"]), len(facts["crop_shares"])
    shapes = {"pixels": (clusters,), "adjacency": (clusters, clusters), "crop_scenes": (crops,)}
    shapes |= {"means": (clusters, bands), "deviations": (clusters, bands), "crop_places": (crops, 5)}
    places = facts["crop_places"]
    return (
        all(facts[name].shape == shape for name, shape in shapes.items())
        and len(facts["prototypes"]) == clusters
        and bool((places >= [0, 0, 0, 1, 1]).all() and (places[:, 0] < clusters).all())
        and bool((facts["pixels"] >= 0).all() and (facts["adjacency"] >= 0).all())
    )


_MOST_BYTES = 2**63  # more is no machine's memory
_NAME = 12  # digits of a digest that stand for it in a legend


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_NAME]


def _weighed(recipe: Recipe) -> str:
    """What the meaning of weights depends on, as it is kept with them."""
    keys = {"extractor", "width", "classifiers", "clusters", "bands", "resolution", "scaling"}
    return json.dumps(recipe.model_dump(mode="json", include=keys), sort_keys=True)


def absolute_path(path: str | os.PathLike[str]) -> str:
    """A file's absolute path, which holds in any working folder; what is no file here (a URL, ``/vsi...``) as it is."""
    return str(Path(path).absolute()) if os.path.exists(path) else os.fspath(path)  # noqa: PTH110 (any text may come)


def network_of(recipe: Recipe) -> Network:
    """The network a recipe describes, with fresh weights.

    Raises
    ------
    SettingError
        If the recipe does not say yet how many bands there are: training measures its `scaling`.
    """
    from terrasift.network import build_network

    bands = len(recipe.measured_scaling.low)
    return build_network(recipe.extractor, bands, recipe.clusters, recipe.classifiers, recipe.width)
