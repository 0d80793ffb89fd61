"""What is learned from a few labelled superpixels, on points of known classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrasift.teaching.classifier import FIRST_STRENGTH, STRENGTHS, LabelledRegions, Lesson, Metric, learn
from terrasift.teaching.regions import RegionTable
from terrasift.teaching.suggesting import suggest_rows

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


def test_the_frequencies_of_classes_are_found_whatever_those_of_the_labels_and_help() -> None:
    table, classes = scene()
    lesson = taught(40, table, classes)
    assert lesson.frequencies is not None
    np.testing.assert_allclose(lesson.frequencies, FREQUENT, atol=0.12)
    leaning = lesson.classifier.scores(table.features)
    even = leaning - np.log(lesson.frequencies) / 2
    right, right_even = (np.mean(scores.argmax(axis=1) == classes) for scores in (leaning, even))
    assert right > right_even + 0.02
    assert all((leaning.argmax(axis=1) == index).any() for index in range(3))  # rare classes do not vanish


def test_few_labels_choose_nothing() -> None:
    table, classes = scene()
    few, many = taught(5, table, classes), taught(40, table, classes)
    assert (few.strength, few.frequencies) == (FIRST_STRENGTH, None)
    assert few.confusion is not None
    assert many.strength in STRENGTHS


def test_a_class_with_few_labels_is_not_taken_to_be_frequent() -> None:
    table, classes = scene()
    rows = np.concatenate([np.flatnonzero(classes == index)[:each] for index, each in enumerate((60, 60, 2))])
    labelled = LabelledRegions(table.features[rows], classes[rows], np.arange(len(rows)))
    assert learn(labelled, Metric.of(table), table).frequencies is None


def test_places_are_suggested_where_classes_with_few_labels_may_be() -> None:
    table, classes = scene()
    lesson = taught(3, table, classes)
    shares = lesson.classifier.shares(table.features)
    may_be_last = [
        shares[suggest_rows(table, Metric.of(table), shares, 12, labelled=np.array(labelled)), 2].mean()
        for labelled in ((30, 30, 1), (1, 1, 30))
    ]
    assert may_be_last[0] > may_be_last[1] + 0.02
