"""Global operations frozen for a scene: the same on what they were found on, and blind to windows ever after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrasift import Network, build_network
from terrasift.blocks.context import SampleWindow, reach_of

EXTRACTORS = ("kan", "seek", "dic", "dictionary")


def trained(extractor: str, classifiers: int = 2, bands: int = 3) -> Network:
    """With statistics of batch normalisation and weights that are no longer those of a fresh network."""
    torch.manual_seed(0)
    network = build_network(extractor, bands, 12, classifiers, None if extractor == "seek" else 6).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(4, bands, 32, 32))
    return network.eval()


def sample_of(*images: Tensor) -> Callable[[], list[SampleWindow]]:
    return lambda: [SampleWindow(image, torch.ones(1, *image.shape[2:], dtype=torch.bool)) for image in images]


@pytest.mark.parametrize("classifiers", [1, 2])
@pytest.mark.parametrize("extractor", ["kan", "seek", "dictionary"])
def test_frozen_at_an_image_the_network_gives_that_image_the_same_logits(extractor: str, classifiers: int) -> None:
    network = trained(extractor, classifiers)
    image = torch.rand(1, 3, 40, 33)
    frozen = network.frozen(sample_of(image))
    with torch.no_grad():
        for ours, theirs in zip(frozen(image), network(image), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_frozen_dic_differs_by_its_upsampling_alone() -> None:
    """Set to the upsampling of the frozen one, the network itself gives the same."""
    network = trained("dic")
    image = torch.rand(1, 3, 40, 33)
    frozen = network.frozen(sample_of(image))
    with torch.no_grad():
        before = network(image)
        network.extractor.align_corners = False
        for ours, theirs, other in zip(frozen(image), network(image), before, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
            assert not torch.allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_the_context_is_that_of_all_windows_together() -> None:
    """Bases and gates found in two halves are those of the whole, where convolutions see no other neighbours."""
    torch.manual_seed(1)
    halves = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    network = trained("dic")
    found = [hold_pointwise(network, images) for images in (halves, halves[::-1], (torch.cat(halves, dim=3),))]
    for bases in found[1:]:
        for ours, theirs in zip(bases, found[0], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def hold_pointwise(network: Network, images: tuple[Tensor, ...]) -> list[Tensor]:
    """Bases of the classifiers alone, fed with values that stand for features: their convolutions see single pixels."""
    from terrasift.blocks.context import freeze

    features = [image.repeat(1, 4, 1, 1) for image in images]
    return [
        buffer
        for classifier in network.classifiers
        for name, buffer in freeze(classifier, sample_of(*features)).named_buffers()
        if name.endswith(("assigning", "rebuilding"))
    ]


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_what_is_not_valid_changes_no_context(extractor: str) -> None:
    network = trained(extractor)
    image = torch.rand(1, 3, 48, 48)
    valid = torch.ones(1, 48, 48, dtype=torch.bool)
    valid[:, :, 20:] = False
    other = image.clone()
    other[..., 32:] = torch.rand(1, 3, 48, 16)  # beyond the reach of what is valid
    with torch.no_grad():
        first, second = (network.frozen(lambda x=x: [SampleWindow(x, valid)])(image) for x in (image, other))
        whole = network.frozen(sample_of(image))(image)
    for ours, theirs, unlike in zip(first, second, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
        assert extractor in ("kan", "dictionary") or not torch.allclose(ours, unlike, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_a_window_gives_what_the_whole_scene_gives(extractor: str) -> None:
    network = trained(extractor)
    scene = torch.rand(1, 3, 157, 150)
    frozen = network.frozen(sample_of(scene[..., :64, :64]))
    reach, step = reach_of(frozen, 3), network.alignment
    margin = -(-reach // step) * step
    with torch.no_grad():
        whole = frozen(scene)
        rows, columns = slice(72 - margin, 85 + margin), slice(80 - margin, 150)
        window = frozen(scene[..., rows, columns])
    for ours, theirs in zip(window, whole, strict=True):
        torch.testing.assert_close(
            ours[..., margin : margin + 13, margin:], theirs[..., 72:85, 80:], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize(("extractor", "most"), [("kan", 2), ("seek", 3), ("dic", 11), ("dictionary", 46)])
def test_the_reach_is_how_far_a_change_is_felt(extractor: str, most: int) -> None:
    """By changing blocks of pixels: nothing beyond the reach moves, something at most two pixels nearer does."""
    frozen = trained(extractor).frozen(sample_of(torch.rand(1, 3, 32, 32)))
    reach = reach_of(frozen, 3)
    assert reach <= most
    side = 64 if reach < 30 else 192
    middle = side // 2
    image = torch.rand(1, 3, side, side, dtype=torch.float64)
    frozen.double()  # what is far away counts for little
    felt: NDArray[np.bool_] = np.zeros(middle, np.bool_)
    with torch.no_grad():
        before = frozen(image)
        for edge in range(middle, middle + 8):
            changed = image.clone()
            changed[..., edge:] += 3 * torch.rand(1, 3, side, side - edge)
            for ours, theirs in zip(frozen(changed), before, strict=True):
                moved = ((ours - theirs).abs() > 1e-12).any(dim=(0))[:].any(dim=0).any(dim=0).numpy()
                felt |= moved[edge - middle : edge]
    first = int(np.flatnonzero(felt)[0])
    assert middle - reach <= first <= middle - reach + 2


@pytest.mark.parametrize("extractor", ["seek", "dic"])
def test_without_context_the_reach_has_no_end(extractor: str) -> None:
    with pytest.raises(ValueError, match="a pixel changes the whole output"):
        reach_of(trained(extractor), 3)


def test_holding_leaves_the_network_as_it_was() -> None:
    network = trained("dic")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    frozen = network.frozen(sample_of(torch.rand(1, 3, 32, 32)))
    with torch.no_grad():
        for parameter in frozen.parameters():
            parameter.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.extractor.align_corners


def test_features_are_made_once_for_classifiers_that_see_single_pixels() -> None:
    """What is drawn before the classifiers gives the context that windows passed through them give."""
    network = trained("dic")
    images = [torch.rand(1, 3, 32, 40) for _ in range(3)]
    passes = []
    network.extractor.register_forward_hook(lambda *_: passes.append(1))
    frozen = network.frozen(sample_of(*images))
    assert len(passes) == len(images)
    network.classifiers[0].append(torch.nn.Conv2d(12, 12, 3, padding=1))  # sees its neighbours
    general = network.frozen(sample_of(*images))
    assert len(passes) > 2 * len(images)
    for ours, theirs in zip(frozen.classifiers[1].parameters(), general.classifiers[1].parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    for ours, theirs in zip(frozen.classifiers[1].buffers(), general.classifiers[1].buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
