"""What is learned from a few labelled superpixels, on points of known classes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terrasift.teaching.classifier import FIRST_STRENGTH, STRENGTHS, LabelledRegions, Lesson, Metric, learn
from terrasift.teaching.regions import RegionTable
from terrasift.teaching.suggesting import suggest_rows, uncertainty

FREQUENT = (0.8, 0.15, 0.05)


def scene(seed: int = 0, count: int = 6000) -> tuple[RegionTable, NDArray[np.int64]]:
    """Superpixels of three overlapping classes, most of them the first, each of a hundred pixels."""
    generator = np.random.default_rng(seed)
    classes = generator.choice(3, count, p=FREQUENT)
    middles = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    features = (middles[classes] + generator.normal(size=(count, 2))).astype(np.float32)
    places = np.stack([np.zeros(count, int), np.arange(count), np.zeros(count, int)], axis=1)
    return RegionTable(features, np.full(count, 100), places, np.zeros((0, 2), np.int64)), classes


def taught(each: int, table: RegionTable, classes: NDArray[np.int64]) -> Lesson:
    """By as many labels of each class."""
    rows = np.concatenate([np.flatnonzero(classes == index)[:each] for index in range(3)])
    return learn(LabelledRegions(table.features[rows], classes[rows], np.arange(len(rows))), Metric.of(table), table)


def test_the_classifier_leans_to_frequent_classes_whatever_is_labelled_and_that_helps() -> None:
    table, classes = scene()
    lesson = taught(40, table, classes)
    assert lesson.frequencies is not None
    assert lesson.frequencies.sum() == pytest.approx(1)
    assert lesson.frequencies.argsort().tolist() == np.argsort(FREQUENT).tolist()
    leaning = lesson.classifier.scores(table.features)
    even = leaning - 0.75 * np.log(lesson.frequencies)
    right, right_even = (np.mean(scores.argmax(axis=1) == classes) for scores in (leaning, even))
    assert right > right_even + 0.02
    assert all((leaning.argmax(axis=1) == index).any() for index in range(3))  # rare classes do not vanish


def test_few_labels_choose_nothing() -> None:
    table, classes = scene()
    few, many = taught(5, table, classes), taught(40, table, classes)
    assert (few.strength, few.frequencies) == (FIRST_STRENGTH, None)
    assert few.confusion is not None
    assert many.strength in STRENGTHS


def test_suggestions_stand_for_all_superpixels_and_for_none_that_is_labelled() -> None:
    generator = np.random.default_rng(0)
    of_group = np.repeat(np.arange(6), (2000, 1000, 500, 100, 100, 100))
    middles = 10 * generator.normal(size=(6, 4))
    features = (middles[of_group] + 0.1 * generator.normal(size=(len(of_group), 4))).astype(np.float32)
    places, none = np.zeros((len(of_group), 3), np.int64), np.zeros((0, 2), np.int64)
    table = RegionTable(features, np.full(len(of_group), 100), places, none)
    first = suggest_rows(table, Metric.of(table), None, 6)
    assert set(of_group[first]) == set(range(6))
    away = np.linalg.norm(features[first] - middles[of_group[first]], axis=1)
    assert away.max() < np.median(np.linalg.norm(features - middles[of_group], axis=1))  # typical ones
    labelled = features[of_group < 3][::100]
    assert set(of_group[suggest_rows(table, Metric.of(table), None, 3, labelled=labelled)]) == {3, 4, 5}


def test_rare_classes_and_doubtful_places_are_covered_better_once_there_is_a_classifier() -> None:
    table, classes = scene()
    metric, shares = Metric.of(table), taught(10, table, classes).classifier.shares(table.features)
    points = metric(table.features)
    sets = [suggest_rows(table, metric, known, 20) for known in (None, shares)]
    away = [np.linalg.norm(points[classes == 2][:, None] - points[rows], axis=2).min(axis=1).mean() for rows in sets]
    assert away[1] < 0.95 * away[0]
    assert uncertainty(shares[sets[1]]).mean() > uncertainty(shares[sets[0]]).mean() + 0.02


def test_no_more_is_suggested_than_there_is() -> None:
    table, _ = scene(count=7)
    assert sorted(suggest_rows(table, Metric.of(table), None, 12)) == list(range(7))
