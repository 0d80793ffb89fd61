"""The stages of a training, and which files of the run each of them leaves.

A stage that was interrupted is begun again by ``--resume`` and takes what is there of its files, so that the weights
are those of a training that was never interrupted, on the CPU to the bit.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from terrasift.blocks.dictionary_extractor import DictionaryUnet
from terrasift.data.material import Material, gather_material
from terrasift.data.regions import RegionCache
from terrasift.discovery import Discovery, Targets, discover_in, learn_dictionary
from terrasift.errors import SettingError
from terrasift.files import file_digest
from terrasift.network import Network
from terrasift.recipe import Recipe
from terrasift.run import RunFolder, network_of
from terrasift.training import fit, precision_of

if TYPE_CHECKING:  # takes as long to import as all the rest
    from lightning_fabric import Fabric

__all__ = ["STAGES", "Training", "TrainingStage"]

_logger = logging.getLogger(__name__)


@dataclass
class Training:
    """A training on its way: what was asked for, and what the stages so far have found."""

    run: RunFolder
    recipe: Recipe
    scenes: Sequence[str]
    fabric: Fabric
    superpixels: RegionCache

    @property
    def is_first(self) -> bool:
        """Whether this is the first of several processes, or the only one: the one that writes."""
        return self.fabric.is_global_zero

    @functools.cached_property
    def material(self) -> Material:
        """The patches of the images, and how they are read."""
        return gather_material(self.scenes, self.recipe, self.superpixels)

    @functools.cached_property
    def network(self) -> Network:
        """With the fresh weights of the recipe's seed."""
        torch.manual_seed(self.recipe.seed)
        return network_of(self.recipe)


class TrainingStage(NamedTuple):
    """A part of a training."""

    name: str
    files: tuple[str, ...]
    """Of the run's folder that it leaves."""
    do: Callable[[Training], None]


def index(training: Training) -> None:
    """Check the images, measure their scaling, and list their patches; afterwards the run has begun."""
    training.recipe = recipe = training.material.recipe
    colors, count = recipe.refinement.color_bands, len(recipe.measured_scaling.low)
    if recipe.refinement.method == "external" and max(colors) > count:
        raise SettingError(
            "refinement.color_bands",
            f"{list(colors)} names more than the {count} bands of the run",
            "use [1,1,1] for one",
        )
    _ = training.network
    if training.is_first:
        patches, images = len(training.material.patches), len(training.scenes)
        where = f"{training.fabric.device}, {precision_of(recipe.compute)}"
        training.run.begin(recipe, training.scenes)
        _logger.info("training on %s: %d patches of %d images", where, patches, images)
    training.fabric.barrier()


def superpixels(training: Training) -> None:
    """Make the superpixels of the patches that the steps see; discovery makes those that it looks at itself."""
    if training.recipe.targets == "self" and training.is_first:
        batches = training.material.batches(processes=training.fabric.world_size)
        batches.prepare(training.recipe.total_steps(batches.steps_per_epoch))
    training.fabric.barrier()


def discovery(training: Training) -> None:
    """Find the targets, and the filters that the network begins with."""
    run, recipe, network = training.run, training.recipe, training.network
    _, patches, reader, regions = training.material
    if recipe.targets == "contrast" and training.is_first and not _is_discovered(run):
        found, targets = discover_in(patches, reader, regions, recipe)
        targets.save(run.targets_file, made_of=file_digest(found.save(run.discovery_file)))
    training.fabric.barrier()
    if isinstance(network.extractor, DictionaryUnet):
        known = run.discovery_file.exists()
        filters = Discovery.load(run.discovery_file).filters if known else learn_dictionary(patches, reader, recipe)
        network.extractor.set_filters(filters)


def steps(training: Training) -> None:
    """Train the network."""
    run, fabric, material = training.run, training.fabric, training.material
    targets = None
    if training.recipe.targets == "contrast":
        targets = Targets.load(run.targets_file, material.patches, training.recipe, file_digest(run.discovery_file))
    batches = material.batches(fabric.global_rank, fabric.world_size, targets)
    batches.load(training.recipe.total_steps(batches.steps_per_epoch))
    fit(fabric, training.network, batches, training.recipe, run)
    if training.is_first:
        run.finish(training.network)
    fabric.barrier()


def _is_discovered(run: RunFolder) -> bool:
    return run.discovery_file.exists() and run.targets_file.exists()


STAGES = (
    TrainingStage("index", ("images.txt", "recipe.yaml"), index),
    TrainingStage("superpixels", ("superpixels/, where no cache keeps them",), superpixels),
    TrainingStage("discovery", ("discovery.safetensors", "targets.safetensors"), discovery),
    TrainingStage("steps", ("checkpoints/", "log.csv", "machine.json", "legend.yaml", "weights.safetensors"), steps),
)
"""In their order."""
