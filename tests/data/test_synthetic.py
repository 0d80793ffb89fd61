from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrasift.data.synthetic import SYNTHETIC_CLASSES, SyntheticScene, synthetic_scene
from terrasift.data.synthetic.camera import in_shadow, sunlight
from terrasift.errors import SettingError

ROAD, BUILDING, LOW_VEGETATION, TREE, CAR, CLUTTER, WATER = range(7)
SEEDS = (0, 1, 2)


@cache
def full_scene(seed: int) -> SyntheticScene:
    return synthetic_scene(1000, 1000, bands=4, seed=seed)


class TestContract:
    def test_classes_are_potsdams_and_water(self) -> None:
        assert SYNTHETIC_CLASSES[:6] == (
            ("road", "#FFFFFF"),
            ("building", "#0000FF"),
            ("low vegetation", "#00FFFF"),
            ("tree", "#00FF00"),
            ("car", "#FFFF00"),
            ("clutter", "#FF0000"),
        )
        name, water = SYNTHETIC_CLASSES[6]
        assert name == "water"
        assert water not in {colour for _, colour in SYNTHETIC_CLASSES[:6]}

    @settings(max_examples=15, deadline=None)
    @given(
        height=st.integers(1, 80),
        width=st.integers(1, 80),
        bands=st.sampled_from((3, 4)),
        seed=st.integers(0, 2**32),
    )
    def test_any_size_has_its_shape_and_repeats(self, height: int, width: int, bands: int, seed: int) -> None:
        scene = synthetic_scene(height, width, bands=bands, seed=seed)
        again = synthetic_scene(height, width, bands=bands, seed=seed)
        assert scene.image.shape == (height, width, bands)
        assert scene.labels.shape == (height, width)
        assert scene.image.dtype == scene.labels.dtype == np.uint8
        assert scene.labels.max() < len(SYNTHETIC_CLASSES)
        np.testing.assert_array_equal(scene.image, again.image)
        np.testing.assert_array_equal(scene.labels, again.labels)

    def test_near_infrared_changes_no_other_band(self) -> None:
        three, four = (synthetic_scene(96, 64, bands=bands, seed=3) for bands in (3, 4))
        np.testing.assert_array_equal(three.image, four.image[..., :3])
        np.testing.assert_array_equal(three.labels, four.labels)

    def test_seeds_differ(self) -> None:
        one, other = full_scene(0), full_scene(1)
        assert (one.labels != other.labels).mean() > 0.5
        assert (one.image != other.image).mean() > 0.9

    @pytest.mark.parametrize("bands", [0, 1, 2, 5])
    def test_other_numbers_of_bands_are_refused(self, bands: int) -> None:
        with pytest.raises(SettingError, match=f"bands: .*{bands}; use 3"):
            synthetic_scene(8, 8, bands=bands)

    @pytest.mark.parametrize(("height", "width", "side"), [(0, 8, "height"), (8, -1, "width")])
    def test_empty_scenes_are_refused(self, height: int, width: int, side: str) -> None:
        with pytest.raises(SettingError, match=f"^{side}: "):
            synthetic_scene(height, width)


@pytest.mark.parametrize("seed", SEEDS)
class TestScene:
    def test_every_class_has_a_sane_share(self, seed: int) -> None:
        shares = np.bincount(full_scene(seed).labels.ravel(), minlength=7) / 1000**2
        assert shares.min() > 0.002
        assert shares.max() < 0.6

    def test_labels_lie_on_what_they_name(self, seed: int) -> None:
        """Colour changes where classes meet, and much less so where the labels are shifted off the image."""
        scene = full_scene(seed)
        borders = scene.labels[:, 1:] != scene.labels[:, :-1]
        contrast = np.abs(np.diff(scene.image.astype(float), axis=1)).sum(axis=2)
        on_border = contrast[borders].mean()
        for rows, columns in ((6, 0), (-6, 0), (0, 6), (0, -6)):
            assert on_border > 1.5 * contrast[np.roll(borders, (rows, columns), axis=(0, 1))].mean()

    def test_near_infrared_tells_vegetation(self, seed: int) -> None:
        scene = full_scene(seed)
        red, near_infrared = scene.image[..., 0].astype(float), scene.image[..., 3].astype(float)
        is_green = (near_infrared - red) / (near_infrared + red + 1) > 0.05
        is_vegetation = np.isin(scene.labels, (LOW_VEGETATION, TREE))
        assert (is_green == is_vegetation).mean() > 0.85
        assert near_infrared[scene.labels == WATER].mean() < 0.5 * near_infrared[is_vegetation].mean()

    def test_shadows_and_colours_vary_within_a_class(self, seed: int) -> None:
        scene = full_scene(seed)
        brightness = scene.image[..., :3].mean(axis=2)
        for label in (ROAD, BUILDING, LOW_VEGETATION, TREE, CAR):
            dark, bright = np.percentile(brightness[scene.labels == label], (5, 95))
            assert bright > 2 * dark, SYNTHETIC_CLASSES[label]

    def test_colour_alone_tells_something_but_not_all(self, seed: int) -> None:
        """The nearest class mean, found on the truth itself, is the best that class colours could do."""
        scene = full_scene(seed)
        colours = scene.image[..., :3].reshape(-1, 3).astype(np.float32)
        truth = scene.labels.ravel()
        means = np.stack([colours[truth == label].mean(axis=0) for label in range(7)])
        predicted = ((colours[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        recalls = [(predicted[truth == label] == label).mean() for label in range(7)]
        assert (predicted == truth).mean() < 0.85
        assert np.mean(recalls) > 1.5 / 7


class TestLight:
    def test_a_block_shades_its_height_over_the_suns_slope(self) -> None:
        height = np.zeros((40, 100), dtype=np.float32)
        height[10:30, 60:70] = 8
        shadow = in_shadow(height, azimuth=0, elevation=math.atan(1))
        reach = np.flatnonzero(shadow[20])
        # 8 m at 45 degrees are 32 pixels of 0.25 m, on the side away from the sun, which stands to the right.
        assert reach.max() == 59
        assert abs(len(reach) - 32) <= 1
        assert not shadow[:9].any()

    @pytest.mark.parametrize("azimuth", [0.3, 1.9, 4.0])
    def test_shadow_is_that_of_marching_towards_the_sun(self, azimuth: float) -> None:
        rng = np.random.default_rng(5)
        height = np.zeros((60, 60), dtype=np.float32)
        for row, column in rng.integers(10, 45, size=(6, 2)):
            height[row : row + 6, column : column + 8] = rng.uniform(2, 6)
        fast = in_shadow(height, azimuth, elevation=0.8)
        assert (fast == marched_shadow(height, azimuth, elevation=0.8)).mean() > 0.97

    def test_level_ground_is_fully_lit_and_a_slope_to_the_sun_brighter(self) -> None:
        level = np.zeros((8, 8), dtype=np.float32)
        slope = np.tile(np.arange(8, dtype=np.float32) * 0.1, (8, 1))
        assert sunlight(level, azimuth=0, elevation=0.8) == pytest.approx(1)
        assert sunlight(slope, azimuth=math.pi, elevation=0.8).min() > 1
        assert sunlight(slope, azimuth=0, elevation=0.8).max() < 1


def marched_shadow(height: np.ndarray, azimuth: float, elevation: float) -> np.ndarray:
    """Walk from every pixel towards the sun, and look whether anything stands above the ray."""
    rows, columns = height.shape
    shadow = np.zeros(height.shape, dtype=bool)
    for row in range(rows):
        for column in range(columns):
            for step in range(1, 60):
                down, right = round(step * math.sin(azimuth)), round(step * math.cos(azimuth))
                if not (0 <= row + down < rows and 0 <= column + right < columns):
                    break
                ray = height[row, column] + math.hypot(down, right) * 0.25 * math.tan(elevation)
                shadow[row, column] |= height[row + down, column + right] > ray + 0.2
    return shadow
