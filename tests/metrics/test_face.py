"""What the room shows of itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from terrasift import metrics
from terrasift.metrics import FACTS
from terrasift.metrics.scores import SCORE_NAMES


def test_public_names_are_sorted_and_there() -> None:
    assert metrics.__all__ == sorted(
        metrics.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert all(callable(getattr(metrics, name)) for name in metrics.__all__ if not name.isupper())


def test_every_single_score_has_facts() -> None:
    labels = np.eye(3, dtype=int)
    scores = metrics.confusion_matrix(labels, labels, classes=2).scores()
    single = {name for name, score in scores.items() if isinstance(score, float)}
    assert set(FACTS) == single | set(SCORE_NAMES)
    assert set(metrics.segmentation_scores(labels, labels)) == set(SCORE_NAMES)


def test_identical_maps_reach_the_better_bound() -> None:
    labels = np.eye(3, dtype=int)
    scores = metrics.segmentation_scores(labels, labels) | metrics.confusion_matrix(labels, labels, 2).scores()
    for name, facts in FACTS.items():
        assert scores[name] == (facts.upper if facts.higher_is_better else facts.lower), name


def test_importing_is_light() -> None:
    code = (
        "import sys, terrasift.metrics;"
        "heavy = {'torch', 'torchmetrics', 'rasterio', 'kornia', 'sklearn', 'skimage', 'scipy'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
