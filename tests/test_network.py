"""The network against the study: counts, and a forward pass written again in float64 NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import correlate
from scipy.special import expit, softmax

from terrasift import SettingError, build_network

Array = NDArray[np.float64]


@pytest.mark.parametrize(
    ("extractor", "classifiers", "count"),
    [("kan", 1, 103_600), ("seek", 1, 65_912), ("dic", 1, 663_536), ("dic", 2, 696_736)],
)
def test_parameter_counts_of_the_study(extractor: str, classifiers: int, count: int) -> None:
    network = build_network(extractor, classifiers=classifiers)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("bands", "height", "width"), [(3, 20, 24), (1, 21, 17), (10, 18, 15)])
@pytest.mark.parametrize("classifiers", [1, 2])
@pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])
def test_forward_equals_an_independent_one(
    extractor: str, classifiers: int, training: bool, bands: int, height: int, width: int
) -> None:
    torch.manual_seed(bands)
    channels = 4 if extractor != "seek" else 16 if classifiers == 2 else None
    network = build_network(extractor, bands, clusters=7, classifiers=classifiers, width=channels)
    randomise_normalisation(network)
    network.train(training)
    images = torch.rand(2, bands, height, width)
    weights = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        found = network(images)
    assert len(found) == classifiers
    for head, logits in enumerate(found):
        assert logits.shape == (2, 7, height, width)
        expected = NAIVE[extractor](weights, images.double().numpy(), head, training)
        np.testing.assert_allclose(logits.numpy(), expected, atol=1e-5, rtol=1e-5)


def test_first_convolution_of_dcs_stays_and_everything_else_learns() -> None:
    network = build_network("dic", clusters=5, width=4)
    for logits in network(torch.rand(2, 3, 16, 16)):
        logits.square().sum().backward()
    still = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert still == ["classifiers.0.2.before.weight", "classifiers.0.2.before.bias"]


def test_fresh_weights_follow_the_seed() -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build_network("dic", clusters=5, width=4).state_dict()

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["extractor.block_1.0.weight"], other["extractor.block_1.0.weight"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"extractor": "unet"}, "dic"),
        ({"bands": 0}, "bands"),
        ({"clusters": 1}, "clusters"),
        ({"classifiers": 0}, "classifiers"),
        ({"width": -1}, "width"),
    ],
)
def test_wrong_values_are_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(SettingError, match=word):
        build_network(**{"extractor": "dic", **change})  # type: ignore[arg-type]


def randomise_normalisation(network: torch.nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)


@pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])
@pytest.mark.parametrize("size", [(201, 157), (2, 2), (3, 50)])
def test_any_size_keeps_its_shape(extractor: str, size: tuple[int, int]) -> None:
    network = build_network(extractor, 3, clusters=5, classifiers=2).eval()
    with torch.no_grad():
        assert [tuple(logits.shape) for logits in network(torch.rand(1, 3, *size))] == [(1, 5, *size)] * 2


def test_seek_with_one_classifier_has_its_features_for_logits() -> None:
    with pytest.raises(SettingError, match="two classifiers"):
        build_network("seek", clusters=10, width=12)


def naive_kan(weights: dict[str, Array], images: Array, head: int, training: bool) -> Array:
    x = images
    for convolution, normalisation in ((0, 2), (3, 5)):
        x = np.maximum(convolve(x, weights, f"extractor.blocks.{convolution}"), 0)
        x = normalise(x, weights, f"extractor.blocks.{normalisation}", training)
    return linear_head(x, weights, f"classifiers.{head}", training)


def naive_seek(weights: dict[str, Array], images: Array, head: int, training: bool) -> Array:
    def block(x: Array, name: str) -> Array:
        return np.maximum(normalise(convolve(x, weights, f"{name}.0"), weights, f"{name}.1", training), 0)

    def body(x: Array) -> Array:
        for part in range(3):
            x = block(x, f"extractor.body.{part}")
        name = "extractor.body.3.gate"
        squeezed = np.maximum(x.mean(axis=(2, 3)) @ weights[f"{name}.0.weight"].T + weights[f"{name}.0.bias"], 0)
        gate = expit(squeezed @ weights[f"{name}.2.weight"].T + weights[f"{name}.2.bias"])
        return x * gate[:, :, None, None]

    a = block(images, "extractor.stem")
    b = body(a)
    c = body(b)
    name = f"classifiers.{head}"
    return linear_head(a + b + c, weights, name, training) if f"{name}.0.weight" in weights else a + b + c


def linear_head(x: Array, weights: dict[str, Array], name: str, training: bool) -> Array:
    return normalise(convolve(x, weights, f"{name}.0"), weights, f"{name}.1", training)


def naive_dic(weights: dict[str, Array], images: Array, head: int, training: bool) -> Array:
    def block(x: Array, name: str) -> Array:
        return np.maximum(normalise(convolve(x, weights, f"{name}.0"), weights, f"{name}.1", training), 0)

    skip = block(block(images, "extractor.block_1"), "extractor.block_2")
    deep = block(block(pool(skip), "extractor.block_3"), "extractor.block_4")
    joined = np.concatenate([skip, upsample(deep, skip.shape)], axis=1)
    features = block(block(joined, "extractor.block_5"), "extractor.block_6")
    name = f"classifiers.{head}"
    inputs = linear_head(features, weights, name, training)
    return np.stack([deep_clustering(image, weights, f"{name}.2") for image in inputs])


def convolve(x: Array, weights: dict[str, Array], name: str, mode: str = "constant") -> Array:
    kernels = weights[f"{name}.weight"]
    out = np.zeros((len(x), len(kernels), *x.shape[2:]))
    for n, image in enumerate(x):
        for k, kernel in enumerate(kernels):
            for channel, plane in zip(image, kernel, strict=True):
                out[n, k] += correlate(channel, plane, mode=mode)
            out[n, k] += weights.get(f"{name}.bias", np.zeros(len(kernels)))[k]
    return out


def normalise(x: Array, weights: dict[str, Array], name: str, training: bool) -> Array:
    mean = x.mean(axis=(0, 2, 3)) if training else weights[f"{name}.running_mean"]
    variance = x.var(axis=(0, 2, 3)) if training else weights[f"{name}.running_var"]
    scale = weights[f"{name}.weight"] / np.sqrt(variance + 1e-5)
    return (x - mean[:, None, None]) * scale[:, None, None] + weights[f"{name}.bias"][:, None, None]


def pool(x: Array) -> Array:
    height, width = x.shape[2] // 2, x.shape[3] // 2
    return x[:, :, : 2 * height, : 2 * width].reshape(*x.shape[:2], height, 2, width, 2).max(axis=(3, 5))


def upsample(x: Array, shape: tuple[int, ...]) -> Array:
    for axis in (2, 3):
        length = x.shape[axis]
        positions = np.linspace(0, length - 1, 2 * length)  # align_corners
        left = np.minimum(positions.astype(int), length - 2) if length > 1 else np.zeros(2 * length, int)
        share = (positions - left).reshape([-1 if a == axis else 1 for a in range(4)])
        x = x.take(left, axis) * (1 - share) + x.take(np.minimum(left + 1, length - 1), axis) * share
    return np.pad(x, ((0, 0), (0, 0), (0, shape[2] - x.shape[2]), (0, shape[3] - x.shape[3])))


def deep_clustering(inputs: Array, weights: dict[str, Array], name: str) -> Array:
    channels, height, width = inputs.shape
    flat = inputs.reshape(channels, -1)
    pixels = weights[f"{name}.before.weight"][:, :, 0, 0] @ flat + weights[f"{name}.before.bias"][:, None]
    bases = weights[f"{name}.start"]
    for _ in range(3):
        shares = softmax(pixels.T @ bases, axis=1)
        bases = pixels @ (shares / (1e-6 + shares.sum(axis=0)))
        bases = bases / np.linalg.norm(bases, axis=0)
    rebuilt = np.maximum(bases @ shares.T, 0)
    out = np.maximum(weights[f"{name}.after.weight"][:, :, 0, 0] @ rebuilt + flat, 0)
    return out.reshape(channels, height, width)


def naive_dictionary(weights: dict[str, Array], images: Array, head: int, training: bool) -> Array:
    def block(x: Array, name: str, convolutions: int = 1) -> Array:
        for part in (0, 3)[:convolutions]:
            x = convolve(x, weights, f"extractor.{name}.{part}", mode="nearest")
            x = np.maximum(normalise(x, weights, f"extractor.{name}.{part + 1}", training), 0)
        return x

    def responses(x: Array, name: str) -> Array:
        found = convolve(x, {"filters.weight": weights[f"extractor.{name}"]}, "filters", mode="mirror")
        return np.maximum(np.concatenate([found, -found], axis=1) - 0.25, 0)

    height, width = images.shape[2:]
    whole = np.pad(images, ((0, 0), (0, 0), (0, -height % 8), (0, -width % 8)), mode="edge")
    halved = mean_pool(whole)
    first = block(np.concatenate([halved, responses(halved, "coarse_filters")], axis=1), "encode_1", 2)
    second = block(mean_pool(first), "encode_2", 2)
    third = block(mean_pool(second), "encode_3")
    second = block(np.concatenate([second, doubled(third)], axis=1), "decode_2")
    first = block(np.concatenate([first, doubled(second)], axis=1), "decode_1")
    joined = np.concatenate([whole, responses(whole, "fine_filters"), doubled(first)], axis=1)
    features = np.maximum(linear_head(joined, weights, "extractor.join", training), 0)[:, :, :height, :width]
    return linear_head(features, weights, f"classifiers.{head}", training)


def mean_pool(x: Array) -> Array:
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def doubled(x: Array) -> Array:
    """Every new pixel is three quarters of its own old one and a quarter of the next one on its side."""
    for axis in (2, 3):
        padded = x.take(np.clip(np.arange(-1, x.shape[axis] + 1), 0, x.shape[axis] - 1), axis)
        own, before, after = (padded.take(np.arange(start, start + x.shape[axis]), axis) for start in (1, 0, 2))
        pairs = np.stack([0.75 * own + 0.25 * before, 0.75 * own + 0.25 * after], axis=axis + 1)
        x = pairs.reshape([2 * length if a == axis else length for a, length in enumerate(x.shape)])
    return x


NAIVE = {"kan": naive_kan, "seek": naive_seek, "dic": naive_dic, "dictionary": naive_dictionary}
