"""A run's folder: what is in it, opened and saved."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from terrasift.errors import RunError, TerrasiftError
from terrasift.files import whole, write_bytes, write_text
from terrasift.legend import Legend
from terrasift.recipe import Recipe
from terrasift.taught_file import TaughtFile

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
    - ``log.csv``: a row for each step
    - ``machine.json``: versions, device and peak memory of the training
    - ``evaluation.json``: every score, once it has been evaluated
    - ``clusters-1.npz``: what the report found out about the clusters of classifier 1; made anew where it is missing
    - ``report.html``: all of it as one page
    - ``targets.safetensors``, ``checkpoints/``: only while training, for resuming
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.yaml"
        self.weights_file = self.path / "weights.safetensors"
        self.legend_file = self.path / "legend.yaml"
        self._taught = TaughtFile(self.path)
        self.taught_file = self._taught.path
        self.labels_file = self.path / "labels.geojson"
        self.images_file = self.path / "images.txt"
        self.log_file = self.path / "log.csv"
        self.machine_file = self.path / "machine.json"
        self.evaluation_file = self.path / "evaluation.json"
        self.report_file = self.path / "report.html"
        self.discovery_file = self.path / "discovery.safetensors"
        self.targets_file = self.path / "targets.safetensors"
        self.checkpoint_file = self.path / "checkpoints" / "last.ckpt"

    @property
    def has_begun(self) -> bool:
        """Whether there is a recipe."""
        return self.recipe_file.exists()

    @property
    def is_finished(self) -> bool:
        """Whether there are final weights."""
        return self.weights_file.exists()

    @property
    def recipe(self) -> Recipe:
        """The recipe, read anew."""
        if not self.has_begun:
            raise RunError(
                self.path, "is not a run: it has no recipe.yaml", "name a folder that `terrasift train` wrote"
            )
        return Recipe.load(self.recipe_file)

    @property
    def legend(self) -> Legend:
        """The legend, read anew; the clusters themselves where there is none.

        Raises
        ------
        InputError
            If it is not a legend, or not one for this run.
        """
        recipe = self.recipe
        if not self.legend_file.exists():
            return Legend.of_clusters(recipe.clusters)
        return Legend.load(self.legend_file, recipe.clusters, recipe.classifiers)

    @property
    def is_mapped(self) -> bool:
        """Whether the legend holds classes rather than the clusters themselves."""
        return self.legend.names != Legend.of_clusters(self.recipe.clusters).names

    @property
    def images(self) -> list[str]:
        """The images it was trained on, as they were listed; none where no list is kept."""
        return self.images_file.read_text(encoding="utf-8").splitlines() if self.images_file.exists() else []

    @property
    def training_seconds(self) -> float | None:
        """Of all steps in the log, those before a training was killed and went on included; None without a log."""
        if not self.log_file.exists():
            return None
        with self.log_file.open(newline="", encoding="utf-8") as file:
            return sum(float(row["seconds"]) for row in csv.DictReader(file) if row["seconds"])

    def check_images(self, scenes: Sequence[str]) -> None:
        """Check that a run goes on with the images it was begun with; RunError if not."""
        if not self.has_begun or not self.images_file.exists():
            return
        begun = self.images_file.read_text(encoding="utf-8").splitlines()
        if list(map(absolute_path, begun)) != list(map(absolute_path, scenes)):
            raise RunError(self.path, "was begun with other images (images.txt lists them)", "resume it with those")

    def make_folder(self) -> None:
        """Make the folder; RunError if it cannot be made."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(self.path, f"cannot be written ({error.strerror})", "choose another folder") from error

    def begin(self, recipe: Recipe, scenes: Sequence[str]) -> None:
        """Make the folder, write the list of training images and, last, the recipe.

        Raises
        ------
        RunError
            If the folder cannot be made.
        """
        try:
            self.checkpoint_file.parent.mkdir(parents=True, exist_ok=True)
            if not self.has_begun:
                write_text(self.images_file, "".join(f"{absolute_path(path)}\n" for path in scenes))
            recipe.save(self.recipe_file)
        except OSError as error:
            raise RunError(self.path, f"cannot be written ({error.strerror})", "choose another folder") from error

    def abandon(self) -> None:
        """Take back what `begin` wrote, the folder too if nothing else is in it: training cannot begin after all."""
        shutil.rmtree(self.checkpoint_file.parent, ignore_errors=True)
        for file in (self.recipe_file, self.images_file, self.discovery_file, self.targets_file):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    @property
    def previous_legend(self) -> Legend:
        """The legend before this one; RunError where there is none."""
        previous = self.legend_file.with_name("legend.previous.yaml")
        if not previous.exists():
            raise RunError(self.path, "has no legend before this one", "nothing to undo")
        return Legend.load(previous, self.recipe.clusters, self.recipe.classifiers)

    def load_taught(self, name: str) -> TaughtClassifier:
        """The taught classifier that a legend speaks of; RunError if it is not there."""
        return self._taught.load(name)

    def save_taught(self, classifier: TaughtClassifier) -> str:
        """Keep a taught classifier beside those of the present legend and the one before; its name, for a legend."""
        keep = []
        for path in (self.legend_file, self.path / "legend.previous.yaml"):
            with contextlib.suppress(TerrasiftError):
                keep.append(Legend.load(path).taught)
        return self._taught.save(classifier, keep)

    @property
    def legend_digest(self) -> str:
        """What tells whether the legend's file has changed."""
        return _digest(self._legend_bytes())

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
        try:
            with FileLock(self.path / ".legend.lock", timeout=_LONGEST_WAIT):
                return self._replace_legend(legend, seen)
        except Timeout as error:
            raise RunError(self.legend_file, "is being changed by another process", "try again") from error

    def _replace_legend(self, legend: Legend, seen: str | None) -> str | None:
        before = self._legend_bytes()
        if seen is not None and _digest(before) != seen:
            return None
        with whole(self.legend_file) as new:
            legend.save(new)
            after = new.read_bytes()
            if before and after != before:
                write_bytes(self.path / "legend.previous.yaml", before)  # a copy: a legend is there at any moment
        return _digest(after)

    def _legend_bytes(self) -> bytes:
        return self.legend_file.read_bytes() if self.legend_file.exists() else b""

    def finish(self, network: Network) -> None:
        """Write the final weights, whole or not at all, and a legend; the checkpoints have served."""
        from safetensors.torch import save

        if not self.legend_file.exists():
            Legend.of_clusters(self.recipe.clusters).save(self.legend_file)
        content = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        write_bytes(self.weights_file, save(content))  # last: where they are, the run is finished
        shutil.rmtree(self.checkpoint_file.parent, ignore_errors=True)
        self.targets_file.unlink(missing_ok=True)

    def load_network(self) -> Network:
        """The trained network, on the CPU, in evaluation mode.

        Raises
        ------
        RunError
            If the run is not finished, or its weights are not those of its recipe.
        """
        from safetensors.torch import load_file

        recipe = self.recipe
        if not self.is_finished:
            raise RunError(
                self.path,
                "is not finished",
                "finish it by `terrasift train` with `resume=True`",
            )
        network = network_of(recipe)
        try:
            network.load_state_dict(load_file(self.weights_file))
        except (SafetensorError, RuntimeError) as error:
            raise RunError(
                self.weights_file,
                "does not hold the weights of recipe.yaml beside it",
                "restore both from one run",
            ) from error
        return network.eval()


_LONGEST_WAIT = 30.0  # seconds; a legend is written in milliseconds


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def absolute_path(path: str | os.PathLike[str]) -> str:
    """A file's absolute path, which holds in any working folder; what is no file here (a URL, ``/vsi...``) as it is."""
    return str(Path(path).absolute()) if Path(path).exists() else os.fspath(path)


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
