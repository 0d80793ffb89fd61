"""An embedding in which neighbours are near and everything else is far (docs/discovery.md, step 5)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from terrasift.progress import track

__all__ = ["EMBEDDING", "STEPS", "Perceptron", "learn_contrast"]

EMBEDDING = 32
"""Numbers of the embedding, a point on the unit sphere."""

STEPS = 800
"""Of training."""

_HIDDEN = 256
_PAIRS = 768  # in a step: each is the others' negatives
_TEMPERATURE = 0.5  # 0.1 to 0.2 splits classes
_LEARNING_RATE = 2e-3
_ROWS = 1 << 16  # at a time


class Perceptron(nn.Module):
    """Whitened descriptors (n, P) to points on the unit sphere (n, 32).

    Parameters
    ----------
    inputs
        P.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, _HIDDEN, bias=False),
            nn.BatchNorm1d(_HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN, bias=False),
            nn.BatchNorm1d(_HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, EMBEDDING),
        )

    def forward(self, whitened: Tensor) -> Tensor:
        """(n, P) to (n, 32), rows of length 1."""
        return functional.normalize(self.layers(whitened), dim=1)

    def embed(self, whitened: NDArray[np.float32]) -> NDArray[np.float32]:
        """Many rows, in evaluation mode."""
        self.eval()
        with torch.inference_mode():
            parts = [self(part).numpy() for part in torch.from_numpy(whitened).split(_ROWS)]  # type: ignore[no-untyped-call]
        return np.concatenate(parts)


def learn_contrast(
    whitened: NDArray[np.float32],
    pairs: NDArray[np.int64],
    seed: int,
) -> Perceptron:
    """Train the perceptron to tell a superpixel's neighbour from the others.

    Parameters
    ----------
    whitened
        (n, P), float32.
    pairs
        (m, 2): neighbours that are taken to share their class.
    seed
        Of the weights and the pairs of each step.

    Notes
    -----
    InfoNCE, both ways, on cosines divided by 0.5; AdamW with a one-cycle learning rate up to 2e-3.

    References
    ----------
    van den Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018.
    Isola, Zoran, Krishnan and Adelson, "Learning visual groups from co-occurrences in space and time", 2015.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        perceptron = Perceptron(whitened.shape[1])
    generator = torch.Generator().manual_seed(seed)
    rows, neighbours, own = torch.from_numpy(whitened), torch.from_numpy(pairs), torch.arange(_PAIRS)
    optimizer = torch.optim.AdamW(perceptron.parameters(), _LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=STEPS)
    for _ in track(range(STEPS), STEPS, "contrast"):
        drawn = neighbours[torch.randint(len(neighbours), (_PAIRS,), generator=generator)]
        first, second = perceptron(rows[drawn.T.flatten()]).split(_PAIRS)
        similarity = first @ second.T / _TEMPERATURE
        loss = functional.cross_entropy(similarity, own) + functional.cross_entropy(similarity.T, own)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return perceptron
