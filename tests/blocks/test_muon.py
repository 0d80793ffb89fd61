"""Muon: steps whose directions are all as long, and AdamW for the rest."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from terrasift.blocks.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_orthogonal_lifts_all_singular_values_to_about_one(shape):
    torch.manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(side, min(shape)))[0] for side in shape)
    values = torch.logspace(0, -1.5, min(shape))  # the largest thirty times the smallest
    turned = orthogonal(left * values @ right.T)
    kept = left.T @ turned @ right
    assert torch.allclose(kept, kept.diagonal().diag(), atol=1e-3)  # the same singular vectors
    assert kept.diagonal().min() > 0.6
    assert kept.diagonal().max() < 1.25


def _network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 1))


def _optimizer(network):
    return Muon([network[0].weight], [network[0].bias, *network[1].parameters(), *network[3].parameters()], lr=0.003)


def _learn(network, optimizer, steps):
    for step in range(steps):
        images = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        (network(images) ** 2).mean().backward()
        optimizer.step()


def test_the_others_learn_as_by_adamw():
    one, other = _network(), _network()
    for network in (one, other):
        network[0].weight.requires_grad_(False)
    _learn(one, Muon([one[0].weight], [p for p in one.parameters() if p.requires_grad], lr=0.003), 3)
    _learn(other, torch.optim.AdamW([p for p in other.parameters() if p.requires_grad], lr=0.003), 3)
    assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))


def test_the_first_step_of_a_convolution_is_twenty_thirds_of_the_rate_in_each_direction():
    network = _network()
    before = network[0].weight.detach().clone()
    _learn(network, _optimizer(network), 1)
    step = (network[0].weight.detach() - before * (1 - 0.003 * 0.01)).flatten(1) / 0.02
    assert torch.linalg.svdvals(step).min() > 0.6
    assert torch.linalg.svdvals(step).max() < 1.25


def test_a_state_saved_and_loaded_goes_on_with_the_same_bytes():
    whole, halves = _network(), _network()
    _learn(whole, _optimizer(whole), 4)
    first = _optimizer(halves)
    _learn(halves, first, 2)
    second = _optimizer(halves)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for step in range(2, 4):
        images = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(step))
        second.zero_grad()
        (halves(images) ** 2).mean().backward()
        second.step()
    assert all(torch.equal(*pair) for pair in zip(whole.parameters(), halves.parameters(), strict=True))
