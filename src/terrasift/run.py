"""A run's folder: what is in it, opened and saved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from terrasift.errors import RunError, SettingError
from terrasift.legend import Legend
from terrasift.network import Network, build_network
from terrasift.recipe import Recipe

__all__ = ["RunFolder", "network_of"]


class RunFolder:
    """What training leaves behind. The first three files are all that prediction needs; none holds code.

    - ``recipe.yaml``: every setting, with the scaling measured on the training images
    - ``weights.safetensors``: the trained network
    - ``legend.yaml``: the classes, and the clusters each one holds
    - ``images.txt``: what it was trained on
    - ``log.csv``: a row for each step
    - ``machine.json``: versions, device and peak memory of the training
    - ``evaluation.json``: every score, once it has been evaluated
    - ``clusters-1.npz``: what the report found out about the clusters of classifier 1; made anew where it is missing
    - ``report.html``: all of it as one page
    - ``checkpoints/``: only while training, for resuming
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recipe_file = self.path / "recipe.yaml"
        self.weights_file = self.path / "weights.safetensors"
        self.legend_file = self.path / "legend.yaml"
        self.images_file = self.path / "images.txt"
        self.log_file = self.path / "log.csv"
        self.machine_file = self.path / "machine.json"
        self.evaluation_file = self.path / "evaluation.json"
        self.report_file = self.path / "report.html"
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

    def check_images(self, scenes: Sequence[str]) -> None:
        """Check that a run goes on with the images it was begun with; RunError if not."""
        if not self.has_begun or not self.images_file.exists():
            return
        if self.images_file.read_text(encoding="utf-8") != _listed(scenes):
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
                self.images_file.write_text(_listed(scenes), encoding="utf-8")
            recipe.save(self.recipe_file)
        except OSError as error:
            raise RunError(self.path, f"cannot be written ({error.strerror})", "choose another folder") from error

    def save_legend(self, legend: Legend) -> None:
        """Replace the legend; the one before goes to ``legend.previous.yaml``."""
        if self.legend_file.exists():
            shutil.copyfile(self.legend_file, self.path / "legend.previous.yaml")  # a legend is there at any moment
        legend.save(self.legend_file)

    def finish(self, network: Network) -> None:
        """Write the final weights, whole or not at all, and a legend; the checkpoints have served."""
        partial = self.weights_file.with_suffix(".partial")
        partial.write_bytes(save({name: tensor.contiguous() for name, tensor in network.state_dict().items()}))
        if not self.legend_file.exists():
            Legend.of_clusters(self.recipe.clusters).save(self.legend_file)
        partial.replace(self.weights_file)
        shutil.rmtree(self.checkpoint_file.parent, ignore_errors=True)

    def load_network(self) -> Network:
        """The trained network, on the CPU, in evaluation mode.

        Raises
        ------
        RunError
            If the run is not finished, or its weights are not those of its recipe.
        """
        recipe = self.recipe
        if not self.is_finished:
            raise RunError(
                self.path,
                "is not finished",
                f"go on with: terrasift train IMAGE... --out {self.path} --resume",
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


def _listed(scenes: Sequence[str]) -> str:
    return "\n".join(scenes) + "\n"


def network_of(recipe: Recipe) -> Network:
    """The network a recipe describes, with fresh weights.

    Raises
    ------
    SettingError
        If the recipe does not say yet how many bands there are: training measures its `scaling`.
    """
    if recipe.scaling is None:
        raise SettingError("scaling", "is not known yet", "train the recipe first")
    return build_network(recipe.extractor, len(recipe.scaling.low), recipe.clusters, recipe.classifiers, recipe.width)
