"""Every setting of a run as one validated tree: YAML in and out."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticKnownError

from terrasift.blocks.choices import (
    BUILT_IN_EXTRACTORS,
    Augmentation,
    ClassWeights,
    LearningRateSchedule,
    Optimizer,
    PredictionContext,
    PredictionSpeed,
    Reduction,
    RefinementMethod,
    TargetsFrom,
)
from terrasift.errors import SettingError
from terrasift.files import KeyPath, YamlText, parse_yaml, read_yaml, write_text
from terrasift.notebook import html_table
from terrasift.recipe.changes import Changes, apply_changes
from terrasift.recipe.wording import Key, explain, keys_of
from terrasift.recipe.writing import lines_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Compute", "Losses", "Predict", "Recipe", "Refinement", "Scaling", "recipe_names"]


def _refuse_boolean(value: object) -> object:
    if isinstance(value, bool):  # pydantic takes true for 1.0
        raise PydanticKnownError("float_type")
    return value


def _extractor_names() -> list[str]:
    from terrasift.blocks.extractors import EXTRACTORS  # takes long to import: not before a name is to be checked

    return list(EXTRACTORS)


def _check_extractor(name: str) -> str:
    if name not in BUILT_IN_EXTRACTORS and name not in (names := _extractor_names()):
        raise PydanticKnownError("literal_error", {"expected": ", ".join(names)})
    return name


def _list_extractors(schema: dict[str, Any]) -> None:
    schema["enum"] = _extractor_names()


_BandName = Annotated[StrictStr, Field(min_length=1)]
_Count = Annotated[StrictInt, Field(ge=1)]
_ExtractorName = Annotated[str, AfterValidator(_check_extractor), Field(json_schema_extra=_list_extractors)]
_NO_BOOLEAN = BeforeValidator(_refuse_boolean)
_Number = Annotated[float, _NO_BOOLEAN]
_Share = Annotated[float, Field(gt=0, le=1), _NO_BOOLEAN]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False), _NO_BOOLEAN]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what is not the default, which is enough to make it again."""
        fields = type(self).model_fields
        return ((name, getattr(self, name)) for name in fields if getattr(self, name) != fields[name].default)

    def __dir__(self) -> Iterator[str]:
        """What completion offers: keys and our own methods; not pydantic's, half of which warn when touched."""
        return (name for name in super().__dir__() if name.startswith("__") or name not in dir(BaseModel))


class Scaling(_Settings):
    """The rule that turns band values into [0, 1], measured on the training images and kept with the run."""

    dtype: str = Field(description="type of the values the rule is for")
    low: tuple[_Number, ...] = Field(description="value of each band that becomes 0")
    high: tuple[_Number, ...] = Field(description="value of each band that becomes 1")
    fill: tuple[_Number, ...] = Field(description="each band's mean, in [0, 1]: stands where there is no data")

    @model_validator(mode="after")
    def _one_value_for_each_band(self) -> Scaling:
        if not len(self.low) == len(self.high) == len(self.fill) > 0:
            counts = f"{len(self.low)}, {len(self.high)} and {len(self.fill)}"
            raise ValueError(
                f"scaling.low, scaling.high and scaling.fill have {counts} values: allowed is one for each band"
            )
        return self

    def to_unit(self, values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Band values as a network takes them.

        Parameters
        ----------
        values
            (H, W, bands), of `dtype`.
        valid
            (H, W), bool: pixels that hold data. None: nothing is put where there is none.

        Returns
        -------
        ndarray
            (H, W, bands), float32 in [0, 1]; `fill` where `valid` is False.
        """
        from terrasift.blocks.preprocessing import (  # with NumPy: much of a recipe needs none
            fill_invalid,
            scale_to_unit,
        )

        unit = scale_to_unit(values, self.low, self.high)
        return unit if valid is None else fill_invalid(unit, valid, self.fill)

    def of_bands(self, places: Sequence[int]) -> Scaling:
        """The rule for some of the bands, by their places from 0."""
        low, high, fill = (tuple(values[place] for place in places) for values in (self.low, self.high, self.fill))
        return Scaling(dtype=self.dtype, low=low, high=high, fill=fill)


class Refinement(_Settings):
    """Class refinement: the regions inside which labels are made constant."""

    method: RefinementMethod = Field("slic", description="where the regions come from")
    area: _Count = Field(100, description="both slic: pixels that a superpixel should have, about")
    compactness: Annotated[float, Field(gt=0, allow_inf_nan=False), _NO_BOOLEAN] = Field(
        10.0, description="both slic: shape against colour; powers of ten"
    )
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False), _NO_BOOLEAN] = Field(
        128.0, description="felzenszwalb: larger gives larger superpixels"
    )
    min_size: _Count = Field(64, description="felzenszwalb: pixels of the smallest superpixel")
    color_bands: tuple[_Count, _Count, _Count] = Field(
        (1, 2, 3), description="external: which of the run's bands, from 1, stand for red, green and blue"
    )
    restarts: _Count = Field(20, description="external: runs of fuzzy c-means, of which the best is kept")
    folder: str | None = Field(
        None, description="precomputed: folder of label rasters, each with its image's name and size"
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Refinement:
        if self.method == "precomputed" and not self.folder:
            raise ValueError("refinement.method precomputed needs refinement.folder: name the folder of label rasters")
        return self


class Losses(_Settings):
    """What is added to the weighted cross-entropy, and how much of it."""

    continuity: _Weight = Field(0.0, description="weight of the spatial continuity loss, mu; 1 in the study")
    mumford_shah: _Weight = Field(0.0, description="weight of the Mumford-Shah loss")
    tv_weight: _Weight = Field(0.001, description="weight of the total variation inside the Mumford-Shah loss, lambda")
    reduction: Reduction = Field("mean", description="of the Mumford-Shah loss over pixels; sum: as its authors")

    @property
    def compare_pixels(self) -> bool:
        """Whether anything is added that looks at pixels beside each other."""
        return bool(self.continuity or self.mumford_shah)


class Compute(_Settings):
    """Where and how the numbers are made; changes speed, not the method."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="auto takes a GPU where there is one")
    devices: _Count = Field(1, description="how many of them, one process each")
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = Field(
        "32-true", description="of the forward pass; auto: bf16-mixed where the machine computes it fast"
    )
    workers: Annotated[StrictInt, Field(ge=0)] = Field(0, description="processes that read patches; 0: in line")
    checkpoint_seconds: Annotated[float, Field(ge=0), _NO_BOOLEAN] = Field(
        60.0, description="a checkpoint at most this often"
    )
    tensorboard: StrictBool = Field(False, description="write TensorBoard event files into the run's folder too")


class Predict(_Settings):
    """How a trained run reads a scene."""

    window: Annotated[StrictInt, Field(ge=16)] = Field(512, description="side of a window, pixels")
    context: PredictionContext = Field(
        "scene", description="what the network's global operations see: a sample of the scene, or each window alone"
    )
    margin: Annotated[StrictInt, Field(ge=0)] = Field(
        32, description="context patch: pixels a window sees beyond what it writes; half of window at most"
    )
    speed: PredictionSpeed = Field(
        "fast", description="on a CPU; plain: as in training; bfloat16: faster still, some labels change"
    )

    @model_validator(mode="after")
    def _margin_fits(self) -> Predict:
        if self.context == "patch" and self.margin * 2 > self.window:
            raise ValueError(
                f"predict.margin {self.margin} clashes with predict.window {self.window}:"
                " allowed is at most half of the window"
            )
        return self


class Recipe(_Settings):
    """Every setting of a run. The defaults are the study's."""

    extractor: _ExtractorName = Field("dic", description="feature extractor")
    width: _Count | None = Field(None, description="channels of its first block; null: the extractor's own")
    classifiers: Annotated[StrictInt, Field(ge=1, le=2)] = Field(2, description="pixel classifiers in parallel")
    clusters: Annotated[StrictInt, Field(ge=2, le=65535)] = Field(100, description="clusters K of each classifier")
    bands: tuple[_Count | _BandName, ...] | None = Field(
        None, description="numbers from 1, or names that the images give their bands; null: all of them"
    )
    resolution: Annotated[float, Field(gt=0, allow_inf_nan=False), _NO_BOOLEAN] | None = Field(
        None, description="metres a pixel that all images are resampled to; null: each is read as it is"
    )
    scaling: Scaling | None = Field(None, description="null: measured on the training images")
    patch: Annotated[StrictInt, Field(ge=16)] = Field(200, description="side of a training patch, pixels")
    crop: Annotated[StrictInt, Field(ge=16)] | None = Field(
        None,
        description="side of the random part of a patch that a step sees, pixels; null, or more than patch: all",
    )
    min_valid: _Share = Field(0.5, description="windows with a smaller share of valid pixels are left out")
    batch_size: _Count = Field(10, description="patches in a step, for each process")
    epochs: _Count = Field(10, description="passes over the patches")
    steps: _Count | None = Field(None, description="stop after so many steps instead; null: epochs decides")
    targets: TargetsFrom = Field("self", description="self: the network's own labels; contrast: discovered clusters")
    optimizer: Optimizer = Field(
        "adam", description="adam; adamw, with a weight decay of 0.01; muon for convolutions, beside adamw for the rest"
    )
    lr: _Share = Field(1e-4, description="learning rate of the first step; one_cycle: the largest")
    lr_final: _Share = Field(1e-5, description="learning rate of the last step")
    lr_schedule: LearningRateSchedule = Field(
        "exponential", description="from lr to lr_final; constant stays at lr; one_cycle rises first"
    )
    class_weights: ClassWeights = Field("balanced", description="of the cross-entropy, made anew for each batch")
    losses: Losses = Field(Losses(), description="added to the weighted cross-entropy")
    refinement: Refinement = Field(Refinement(), description="regions inside which labels are made constant")
    augmentation: Augmentation = Field("none", description="of the patches: flips, turns and scales, light, or both")
    seed: Annotated[StrictInt, Field(ge=0, le=2**32 - 1)] = Field(0, description="makes a run repeatable")
    compute: Compute = Field(Compute(), description="where the numbers are made")
    predict: Predict = Field(Predict(), description="how a trained run reads a scene")

    @model_validator(mode="after")
    def _keys_agree(self) -> Recipe:
        if self.lr_final > self.lr:
            raise ValueError(f"lr_final {self.lr_final:g} clashes with lr {self.lr:g}: allowed is at most lr")
        if self.bands is not None and (not self.bands or len(set(self.bands)) < len(self.bands)):
            raise ValueError(f"bands {list(self.bands)} clashes with itself: name one band or more, each once")
        if self.scaling and self.bands is not None and len(self.scaling.low) != len(self.bands):
            raise ValueError(f"scaling.low has {len(self.scaling.low)} values, but bands names {len(self.bands)}")
        if self.resolution is not None and self.refinement.method == "precomputed":
            raise ValueError("resolution clashes with refinement.method precomputed: label rasters are not resampled")
        if self.targets == "contrast" and self.refinement.method in ("none", "external"):
            raise ValueError(
                f"targets contrast clashes with refinement.method {self.refinement.method}:"
                " it needs superpixels: use opencv_slic, slic, felzenszwalb or precomputed"
            )
        return self

    def _repr_html_(self) -> str:
        rows = [(key.name, self._value(key.name), key.meaning) for key in self.keys()]
        changed = [row for row, key in zip(rows, self.keys(), strict=True) if row[1] != key.default]
        return html_table("Recipe: what is not the default", changed, ("key", "value", "meaning"))

    def _value(self, key: str) -> Any:
        return functools.reduce(getattr, key.split("."), self)

    @property
    def measured_scaling(self) -> Scaling:
        """The scaling of a recipe that has been trained; SettingError where it is not known yet."""
        if not self.scaling:
            raise SettingError("scaling", "is not known yet", "train the recipe first")
        return self.scaling

    def total_steps(self, steps_per_epoch: int) -> int:
        """Steps of the whole training: `steps`, or those of `epochs`."""
        return self.steps or self.epochs * steps_per_epoch

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str], changes: Changes = ()) -> Recipe:
        """A recipe by name (`recipe_names`) or from a YAML file, with single keys changed.

        Parameters
        ----------
        name_or_path
            ``paper``, ``default``, ``demo``, or a path.
        changes
            Values by dotted keys, or ``KEY=VALUE`` each.

        Raises
        ------
        SettingError
            If there is no such recipe, or a key is unknown, ill-typed, out of range, or clashes with another.

        Examples
        --------
        >>> recipe = Recipe.load("default", {"clusters": 50, "refinement.area": 64})
        >>> recipe.clusters, recipe.refinement.area
        (50, 64)
        >>> Recipe.load("default", {"cluster": 50})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        terrasift.errors.SettingError: recipe default: cluster: is not a key; did you mean clusters? allowed: ...
        """
        text = _find(name_or_path)
        if not isinstance(text.content, dict):
            raise SettingError(text.where, "is not a recipe", "write one `key: value` on a line")
        changed = apply_changes(text.content, changes)
        if ("epochs",) in changed and ("steps",) not in changed and text.content.get("steps") is not None:
            steps = f"counts for nothing: the recipe stops after {text.content['steps']} steps"
            raise SettingError("epochs", steps, "change `steps=...`, or give `steps=null` beside it")

        def at(place: KeyPath) -> str:
            return str(text.where) if any(place[: len(key)] == key for key in changed) else text.at(place)

        return cls._checked(text.content, at)

    @classmethod
    def of(cls, recipe: Recipe | str | os.PathLike[str]) -> Recipe:
        """The recipe itself, or that of a name or a file; SettingError if it is neither."""
        if isinstance(recipe, Recipe):
            return recipe
        if isinstance(recipe, str | os.PathLike):
            return cls.load(recipe)
        mend = 'give a name or a file, or change a recipe: Recipe.load("default", {"clusters": 50})'
        raise SettingError("recipe", f"is of type {type(recipe).__name__}", mend)

    def changed(self, changes: Changes, where: str = "recipe") -> Recipe:
        """The same with single keys changed; `changes` and errors as for `load`."""
        tree = self.model_dump(mode="json")
        apply_changes(tree, changes)
        return self.from_tree(tree, where)

    @classmethod
    def from_tree(cls, tree: dict[str, Any], where: str = "recipe") -> Recipe:
        """A recipe from nested dictionaries; SettingError names the dotted key that is wrong."""
        return cls._checked(tree, lambda place: where)

    @classmethod
    def _checked(cls, tree: dict[str, Any], at: Callable[[KeyPath], str]) -> Recipe:
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise explain(cls, at, error) from None

    @classmethod
    def keys(cls) -> list[Key]:
        """Every key in its order: dotted name, meaning, what it may be, default."""
        return keys_of(cls)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write YAML with every key and what it means, whole or not at all."""
        write_text(path, self.to_yaml())

    def to_yaml(self) -> str:
        """The YAML text that `save` writes."""
        return "\n".join(lines_of(self)) + "\n"


def recipe_names() -> list[str]:
    """Names of the recipes that come with terrasift."""
    folder = resources.files("terrasift.recipes")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _find(name_or_path: str | os.PathLike[str]) -> YamlText:
    name = os.fspath(name_or_path)
    if name in recipe_names():
        text = resources.files("terrasift.recipes").joinpath(f"{name}.yaml").read_text("utf-8")
        return YamlText(f"recipe {name}", parse_yaml(text, name).content)
    if not Path(name).is_file():
        named = ", ".join(recipe_names())
        raise SettingError(name, "is neither a recipe's name nor a file", f"use {named}, or a YAML file")
    return read_yaml(name, SettingError)
