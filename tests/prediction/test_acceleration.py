"""Accelerated networks against the networks themselves."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from terrasift import build_network
from terrasift.blocks.context import SampleWindow, reach_of
from terrasift.network import Network
from terrasift.prediction.acceleration import accelerated

EACH = pytest.mark.parametrize("extractor", ["kan", "seek", "dic", "dictionary"])


@pytest.mark.parametrize("context", ["frozen", "own"])
@pytest.mark.parametrize("classifiers", [1, 2])
@EACH
def test_fast_is_the_network_but_for_rounding(extractor: str, classifiers: int, context: str) -> None:
    network, images = _network(extractor, classifiers, frozen=context == "frozen"), _images(2, 95, 98)
    with torch.inference_mode():
        plain, fast = network(images), accelerated(network, "fast")(images)
    assert len(fast) == classifiers
    for expected, found in zip(plain, fast, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        assert (found.argmax(1) == expected.argmax(1)).float().mean() >= 0.9999
        assert len(expected.argmax(1).unique()) > 3  # labels that could differ


@EACH
def test_bfloat16_is_near_and_given_in_float32(extractor: str) -> None:
    network, images = _network(extractor, 2, frozen=True), _images(1, 64, 64)
    with torch.inference_mode():
        plain, near = network(images), accelerated(network, "bfloat16")(images)
    for expected, found in zip(plain, near, strict=True):
        assert found.dtype == torch.float32
        assert not torch.equal(found, expected)
        assert (found - expected).square().mean() < 0.001 * expected.var()


@pytest.mark.parametrize("speed", ["plain", "fast", "bfloat16"])
@EACH
def test_the_network_itself_stays_as_it_is(extractor: str, speed: str) -> None:
    network, images = _network(extractor, 2, frozen=False), _images(1, 32, 32)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.inference_mode():
        expected = network(images)
        accelerated(network, speed)(images)  # type: ignore[arg-type]
        again = network(images)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert all(torch.equal(first, second) for first, second in zip(expected, again, strict=True))
    assert {part.inplace for part in network.modules() if isinstance(part, nn.ReLU)} == {False}
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert all(".before." in name for name in frozen)  # what the DCS block freezes itself


@EACH
def test_a_pixel_reaches_as_far(extractor: str) -> None:
    network = _network(extractor, 1, frozen=True)
    assert reach_of(accelerated(network, "fast"), 3) == reach_of(network, 3)


def test_fast_does_not_depend_on_the_batch() -> None:
    fast, images = accelerated(_network("dic", 1, frozen=True), "fast"), _images(3, 70, 66)
    with torch.inference_mode():
        together = fast(images)[0]
        one_by_one = torch.cat([fast(image[None])[0] for image in images])
    torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-4)


@EACH
def test_processes_can_send_it_to_each_other(extractor: str) -> None:
    fast, images = accelerated(_network(extractor, 1, frozen=True), "fast"), _images(1, 20, 20)
    with torch.inference_mode():
        assert torch.equal(pickle.loads(pickle.dumps(fast))(images)[0], fast(images)[0])


def test_plain_is_the_network() -> None:
    network = _network("dic", 1, frozen=False)
    assert accelerated(network, "plain") is network


def test_training_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="eval"):
        accelerated(build_network("kan", width=4), "fast")


def test_what_stands_otherwise_is_left_alone() -> None:
    """Somebody's own extractor: no bias, strides, normalisation first, or ReLU on what is needed again."""
    torch.manual_seed(0)
    extractor = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.ReLU())
    network = Network(extractor, [nn.Sequential(nn.Conv2d(4, 5, 1, bias=False), nn.BatchNorm2d(5)), nn.Identity()])
    _normalise(network)
    images = _images(1, 30, 30)
    with torch.inference_mode():
        for expected, found in zip(network(images), accelerated(network, "fast")(images), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def _network(extractor: str, classifiers: int, *, frozen: bool) -> Network:
    torch.manual_seed(classifiers)
    width = {"kan": 6, "seek": 20, "dic": 6, "dictionary": 6}[extractor]
    network = build_network(extractor, 3, clusters=20, classifiers=classifiers, width=width)
    _normalise(network)
    if not frozen:
        return network
    sample = [SampleWindow(image[None], torch.ones(1, 48, 48, dtype=torch.bool)) for image in _images(3, 48, 48)]
    return network.frozen(lambda: sample)


def _normalise(network: nn.Module) -> None:
    """Normalisation as after training. Fresh, it changes nothing: that would hide whether it is folded."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.5, 0.5)
            part.momentum = None  # the mean over all batches
    with torch.no_grad():
        for _ in range(4):
            network.train()(_images(3, 48, 48))
    network.eval()


def _images(count: int, height: int, width: int) -> torch.Tensor:
    """(N, 3, H, W), in [0, 1], fields and noise."""
    generator = torch.Generator().manual_seed(count)
    fields = torch.rand(count, 3, 8, 8, generator=generator)
    fields = nn.functional.interpolate(fields, (height, width))
    return (fields + 0.1 * torch.rand(count, 3, height, width, generator=generator)).clamp(0, 1)
