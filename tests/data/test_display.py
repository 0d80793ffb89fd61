"""The colours that a scene is shown in, on the page and in reports."""

from __future__ import annotations

import numpy as np
import pytest

from terrasift import Recipe, Scaling
from terrasift.data.display import Display
from terrasift.report.drawing import photo


def trained(dtype: str, bands: int, *changes: str) -> Recipe:
    scaling = Scaling(dtype=dtype, low=(0,) * bands, high=(255,) * bands, fill=(0.5,) * bands)
    return Recipe.load("paper", changes).model_copy(update={"scaling": scaling})


@pytest.mark.parametrize(
    ("bands", "color_bands", "shown"),
    [(3, "[1,2,3]", (0, 1, 2)), (5, "[4,3,1]", (3, 2, 0)), (2, "[1,2,3]", (0,)), (1, "[1,1,1]", (0,))],
)
def test_a_report_shows_what_the_page_shows(bands: int, color_bands: str, shown: tuple[int, ...]) -> None:
    recipe = trained("uint8", bands, f"refinement.color_bands={color_bands}")
    display = Display.of(recipe)
    values = np.random.default_rng(0).integers(0, 256, (4, 5, bands), np.uint8)
    assert display.places == shown
    np.testing.assert_array_equal(display(values[:, :, shown]), values[:, :, shown])  # bytes as they are
    np.testing.assert_array_equal(photo(values, recipe), np.broadcast_to(values[:, :, shown], (4, 5, 3)))


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_wide_values_are_shown_by_the_runs_scaling(dtype: str) -> None:
    scaling = Scaling(dtype=dtype, low=(100.0, 200.0), high=(300.0, 1200.0), fill=(0.5, 0.5))
    display = Display((0,), scaling.of_bands((0,)))
    shown = display(np.array([[100, 200, 300, 400, 0]]).astype(dtype)[:, :, None])
    assert shown.dtype == np.uint8
    assert shown[0, :, 0].tolist() == [0, 128, 255, 255, 0]
    if dtype == "float32":
        assert display(np.full((1, 1, 1), np.nan, np.float32)).shape == (1, 1, 1)
