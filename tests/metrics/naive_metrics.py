"""The definitions of docs/metrics.md written out, slowly: pairs of pixels, sets of pixels, every distance."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

LabelArray = NDArray[np.integer]


def regions(labels: LabelArray) -> list[set[int]]:
    flat = labels.ravel().tolist()
    return [{pixel for pixel, label in enumerate(flat) if label == name} for name in set(flat)]


def entropy(parts: list[set[int]], pixels: int) -> float:
    return -sum(len(part) / pixels * math.log2(len(part) / pixels) for part in parts)


def mutual_information(predicted: LabelArray, truth: LabelArray) -> float:
    pixels = truth.size
    information = 0.0
    for one, other in product(regions(predicted), regions(truth)):
        if shared := len(one & other):
            information += shared / pixels * math.log2(shared * pixels / (len(one) * len(other)))
    return information


def variation_of_information(predicted: LabelArray, truth: LabelArray) -> float:
    entropies = entropy(regions(predicted), truth.size) + entropy(regions(truth), truth.size)
    return entropies - 2 * mutual_information(predicted, truth)


def rand_index(predicted: LabelArray, truth: LabelArray) -> float:
    pixels = list(zip(predicted.ravel().tolist(), truth.ravel().tolist(), strict=True))
    agreements = [(p1 == p2) == (t1 == t2) for (p1, t1), (p2, t2) in combinations(pixels, 2)]
    return sum(agreements) / len(agreements)


def refinement_errors(labels: LabelArray, other: LabelArray) -> list[float]:
    """The local refinement error of every pixel: the share of its region outside its region of `other`."""
    errors = [0.0] * labels.size
    for region, other_region in product(regions(labels), regions(other)):
        for pixel in region & other_region:
            errors[pixel] = len(region - other_region) / len(region)
    return errors


def global_consistency_error(predicted: LabelArray, truth: LabelArray) -> float:
    return min(sum(refinement_errors(predicted, truth)), sum(refinement_errors(truth, predicted))) / truth.size


def local_consistency_error(predicted: LabelArray, truth: LabelArray) -> float:
    both = zip(refinement_errors(predicted, truth), refinement_errors(truth, predicted), strict=True)
    return sum(map(min, both)) / truth.size


def covering(by: LabelArray, covered: LabelArray) -> float:
    total = 0.0
    for region in regions(covered):
        total += len(region) * max(len(region & other) / len(region | other) for other in regions(by))
    return total / covered.size


def boundary(labels: LabelArray) -> NDArray[np.bool_]:
    along_rows, along_columns = np.gradient(labels.astype(np.float64))
    found = np.abs(along_rows) + np.abs(along_columns) > 0
    if not found.any():
        found[[0, -1]] = True
        found[:, [0, -1]] = True
    return found


def boundary_displacement_error(predicted: LabelArray, truth: LabelArray) -> float:
    one, other = np.argwhere(boundary(predicted)), np.argwhere(boundary(truth))
    distances = np.hypot(*np.moveaxis(one[:, None] - other, -1, 0))
    return float(distances.min(axis=1).mean() + distances.min(axis=0).mean()) / 2


def class_scores(predicted: LabelArray, truth: LabelArray, name: int) -> dict[str, float]:
    """The scores of a class that occurs in both maps, from its four counts of pixels."""
    pixels = list(zip(predicted.ravel().tolist(), truth.ravel().tolist(), strict=True))
    hits = sum(p == name and t == name for p, t in pixels)
    false_alarms = sum(p == name and t != name for p, t in pixels)
    misses = sum(p != name and t == name for p, t in pixels)
    rest = sum(p != name and t != name for p, t in pixels)
    precision, recall = hits / (hits + false_alarms), hits / (hits + misses)
    return {
        "class_accuracy": (hits + rest) / len(pixels),
        "precision": precision,
        "recall": recall,
        "specificity": rest / (rest + false_alarms) if rest + false_alarms else math.nan,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
        "iou": hits / (hits + false_alarms + misses),
    }


SCORES = {
    "variation_of_information": variation_of_information,
    "probabilistic_rand_index": rand_index,
    "global_consistency_error": global_consistency_error,
    "local_consistency_error": local_consistency_error,
    "segmentation_covering": lambda predicted, truth: covering(by=predicted, covered=truth),
    "prediction_covering": lambda predicted, truth: covering(by=truth, covered=predicted),
    "boundary_displacement_error": boundary_displacement_error,
}
