"""Training, from images to a finished run."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from terrasift.api.stages import STAGES, Training
from terrasift.api.trained import Run
from terrasift.data.images import ImageFiles, Images
from terrasift.data.regions import RegionCache, default_cache_folder
from terrasift.errors import InputError, RunError, SettingError
from terrasift.progress import quiet
from terrasift.recipe import Recipe
from terrasift.run import RunFolder
from terrasift.training import make_fabric

__all__ = ["train"]

_logger = logging.getLogger(__name__)


def train(
    images: Images,
    out: str | os.PathLike[str],
    recipe: Recipe | str | os.PathLike[str] | None = None,
    *,
    resume: bool = False,
    cache: str | os.PathLike[str] | None = None,
    use_cache: bool = True,
    cache_limit: float = 10e9,
) -> Run:
    """Train a network on images that nobody has labelled.

    Parameters
    ----------
    images
        Files, folders, glob patterns, or any path GDAL opens; arrays (H, W) or (H, W, bands); xarray's DataArrays, or
        Datasets, whose variables are bands; STAC items or files of them (JSON, GeoParquet), whose assets `bands` names.
        Arrays are written to ``trained_on/`` in `out` first: what is lazy is computed once, and the run knows what it
        was trained on.
    out
        The run's folder.
    recipe
        A recipe, or the name or file of one; None means ``default``, or the run's own if it is resumed.
    resume
        Go on with a run that was interrupted. It ends with the weights it would have had; on the CPU, bit for bit.
    cache
        Where superpixels are kept for the next run; None: the user's cache folder.
    use_cache
        Whether to keep them at all. If not, they last as long as this training.
    cache_limit
        Bytes that the cache may hold, infinitely many if it is infinite; those longest unused go first, when the
        training ends.

    Returns
    -------
    Run
        Finished.

    Raises
    ------
    InputError
        If an image cannot be used.
    SettingError
        If the recipe asks for what the images or the machine do not have, or `cache_limit` is no size.
    RunError
        If `out` holds a run and `resume` is False, or if the run is another recipe's.
    """
    if not cache_limit >= 0:  # not a number is neither
        raise SettingError("cache_limit", f"is {cache_limit}", "name 0 or more")
    run = Run(out)
    recipe = None if recipe is None else Recipe.of(recipe)
    recipe = _continue(run, recipe) if resume and run.has_begun else _fresh(run, recipe)
    files = ImageFiles(images, run.trained_on_folder, recipe.bands)
    run.check_images(files.paths)
    if run.is_finished:
        _logger.info("%s is finished already", run.path)
        return run
    fabric = make_fabric(recipe)
    fabric.launch()
    cached = RegionCache((cache or default_cache_folder()) if use_cache else run.superpixels_folder, recipe.refinement)
    training = Training(run, recipe, files.paths, fabric, cached)
    *preparing, steps = STAGES
    # Of several processes one writes, and says how far it is.
    with run.in_training() if fabric.is_global_zero else quiet():
        if run.is_finished:
            return run  # another process was faster
        with _nothing_left_of_what_cannot_begin(run, files):
            if fabric.is_global_zero:
                files.write()
            fabric.barrier()
            for stage in preparing:
                stage.do(training)
        steps.do(training)
    if fabric.is_global_zero and use_cache:
        cached.trim(cache_limit)
    return run


@contextlib.contextmanager
def _nothing_left_of_what_cannot_begin(run: RunFolder, files: ImageFiles) -> Iterator[None]:
    """If images or recipe turn out to be of no use before the first step, leave nothing of a run that is new."""
    is_new = not run.has_begun
    try:
        yield
    except (InputError, SettingError):
        if is_new:
            files.remove()
            if run.has_begun:
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
        if run.is_finished and {*changed} <= {"steps", "epochs"}:
            raise RunError(run.path, "is finished, and its learning rate has come down", "train anew for more steps")
        raise RunError(
            run.path,
            f"was begun with other values of {', '.join(changed)}",
            "resume it with its own recipe, or choose another folder",
        )
    return begun.model_copy(update={"compute": recipe.compute})
