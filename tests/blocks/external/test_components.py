from __future__ import annotations

import statistics

import numpy as np
import pytest
from sklearn.decomposition import PCA

from terrasift.blocks.external.components import leading_components, normalise


def naive_normalise(table):
    for _ in range(2):  # columns, then rows
        columns = []
        for column in table.T.tolist():
            mean, deviation = statistics.fmean(column), statistics.stdev(column)
            columns.append([(x - mean) / (2 * (3 * deviation + 1)) for x in column])
        table = np.array(columns)  # transposed: the rows come next
    return table


def test_normalise_equals_loops():
    features = np.random.default_rng(0).normal(3, 20, (9, 14))
    np.testing.assert_allclose(normalise(features), naive_normalise(features), rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2])
def test_normalise_few_superpixels(count):
    scaled = normalise(np.arange(count * 5.0).reshape(count, 5))
    assert np.isfinite(scaled).all()


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_components_equal_scikit_learn(shape):
    random = np.random.default_rng(1)
    points = random.normal(size=shape) * np.geomspace(10, 0.01, shape[1])
    components = leading_components(points)
    expected = PCA(n_components=0.99, svd_solver="full").fit_transform(points)
    assert components.shape == expected.shape
    np.testing.assert_allclose(np.abs(components), np.abs(expected), atol=1e-9)


def test_no_variance_is_one_empty_component():
    np.testing.assert_array_equal(leading_components(np.full((5, 7), 2.0)), np.zeros((5, 1)))
