"""Training, from images to a finished run."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from lightning_fabric import Fabric

from terrasift.api.trained import Run
from terrasift.blocks.dictionary_extractor import DictionaryUnet
from terrasift.data.batches import PatchBatches
from terrasift.data.indexing import index_images
from terrasift.data.patches import Patch, PatchReader
from terrasift.data.precomputed import regions_of
from terrasift.data.regions import RegionCache, RegionSource, default_cache_folder
from terrasift.data.sampling import draw_patches
from terrasift.data.scenes import find_scenes
from terrasift.discovery import Discovery, Targets, discover_in, learn_dictionary
from terrasift.errors import InputError, RunError, SettingError
from terrasift.progress import quiet
from terrasift.raster import RasterInfo
from terrasift.recipe import Recipe
from terrasift.run import RunFolder, network_of
from terrasift.training import fit, make_fabric, precision_of

__all__ = ["train"]

_logger = logging.getLogger(__name__)


def train(
    images: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    recipe: Recipe | str | None = None,
    *,
    resume: bool = False,
    cache: str | os.PathLike[str] | None = None,
    use_cache: bool = True,
    cache_limit: int = 10_000_000_000,
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
    scenes = find_scenes(images)
    run.check_images(scenes)
    with _told_by_the_first(fabric):
        recipe, infos, patches = _index(scenes, recipe)
    if recipe.targets == "contrast":
        patches = draw_patches(patches, recipe.seed)
    torch.manual_seed(recipe.seed)
    network = network_of(recipe)
    temporary = run.path / "superpixels"
    made_regions = RegionCache((cache or default_cache_folder()) if use_cache else temporary, recipe.refinement)
    material = _Material(
        patches, PatchReader(recipe.bands, recipe.scaling), regions_of(recipe.refinement, infos, made_regions)
    )
    if fabric.is_global_zero:
        run.make_folder()
        where = f"{fabric.device}, {precision_of(recipe.compute)}"
        _logger.info("training on %s: %d patches of %d images", where, len(patches), len(scenes))
        with _removed_on_failure(temporary):
            if recipe.targets == "self":
                source = _batches(material, recipe, fabric)
                source.prepare(recipe.total_steps(source.steps_per_epoch))
        run.begin(recipe, scenes)
    fabric.barrier()
    with _abandoned_on_failure(run, temporary):
        targets = _discover(run, material, recipe, fabric) if recipe.targets == "contrast" else None
        if isinstance(network.extractor, DictionaryUnet):
            known = run.discovery_file.exists()
            filters = Discovery.load(run.discovery_file).filters if known else learn_dictionary(*material[:2], recipe)
            network.extractor.set_filters(filters)
    with _told_by_the_first(fabric):
        fit(fabric, network, _batches(material, recipe, fabric, targets), recipe, run)
    if fabric.is_global_zero:
        run.finish(network)
        made_regions.trim(cache_limit)
        shutil.rmtree(temporary, ignore_errors=True)
    fabric.barrier()
    return run


def _told_by_the_first(fabric: Fabric) -> contextlib.AbstractContextManager[None]:
    """Of several processes that do the same, one says how far they are."""
    return contextlib.nullcontext() if fabric.is_global_zero else quiet()


class _Material(NamedTuple):
    """What is trained on."""

    patches: list[Patch]
    reader: PatchReader
    regions: RegionSource


def _batches(material: _Material, recipe: Recipe, fabric: Fabric, targets: Targets | None = None) -> PatchBatches:
    return PatchBatches(
        *material,
        recipe.patch,
        recipe.batch_size,
        recipe.seed,
        workers=recipe.compute.workers,
        process=fabric.global_rank,
        processes=fabric.world_size,
        targets=targets,
    )


def _discover(run: Run, material: _Material, recipe: Recipe, fabric: Fabric) -> Targets:
    """The discovery stage: its two files in the run, made by the first process unless they are there already."""
    if fabric.is_global_zero and not (run.discovery_file.exists() and run.targets_file.exists()):
        discovery, targets = discover_in(*material, recipe)
        targets.save(run.targets_file)
        discovery.save(run.discovery_file)
    fabric.barrier()
    return Targets.load(run.targets_file, material.patches)


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


@contextlib.contextmanager
def _abandoned_on_failure(run: RunFolder, temporary: Path) -> Iterator[None]:
    """If images or recipe turn out to be of no use before the first checkpoint, leave nothing of the run."""
    try:
        yield
    except (InputError, SettingError):
        if not run.checkpoint_file.exists():
            shutil.rmtree(temporary, ignore_errors=True)
            run.abandon()
        raise


def _fresh(run: RunFolder, recipe: Recipe | None) -> Recipe:
    if run.has_begun:
        raise RunError(run.path, "holds a run already", "go on with it by `resume=True`, or choose another folder")
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


def _index(scenes: Sequence[str], recipe: Recipe) -> tuple[Recipe, list[RasterInfo], list[Patch]]:
    infos, patches, scaling = index_images(scenes, recipe)
    colors, count = recipe.refinement.color_bands, len(scaling.low)
    if recipe.refinement.method == "external" and max(colors) > count:
        raise SettingError(
            "refinement.color_bands",
            f"{list(colors)} names more than the {count} bands of the run",
            "use [1,1,1] for one",
        )
    return recipe.model_copy(update={"scaling": scaling}), infos, patches
