"""How a network meets windows: the clusters of what each of them decides, or all that it makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.context import looks_at_all_pixels, sees_single_pixels
from terrasift.network import Network
from terrasift.prediction.tensors import WindowBatch
from terrasift.prediction.windows import ClusterWindow
from terrasift.raster import Window

__all__ = ["Look", "decide", "decided_logits", "look"]


class Look(NamedTuple):
    """A window as a network sees it, without its margin: B bands, F features, K clusters."""

    window: Window
    values: NDArray[Any]
    """(H, W, B), in the scene's units."""
    valid: NDArray[np.bool_]
    """(H, W): pixels that hold data."""
    features: NDArray[np.float32]
    """(H, W, F): what the extractor makes of it, which the classifiers read."""
    logits: tuple[NDArray[np.float32], ...]
    """(H, W, K) for each classifier."""

    def clusters(self, classifier: int) -> NDArray[np.int64]:
        """(H, W): the clusters of a classifier, counted from 1."""
        found: NDArray[np.int64] = self.logits[classifier - 1].argmax(axis=2)
        return found


def decide(network: Network, batch: WindowBatch, confidence: NDArray[np.int64] | None = None) -> list[ClusterWindow]:
    """The clusters of each window of a batch, without its margin.

    Parameters
    ----------
    network
        In evaluation mode.
    batch
        N windows.
    confidence
        How sure the network is of classes is said too: (K,), the class of each cluster, -1 for none.
    """
    parts = []
    with torch.inference_mode():
        for index, (view, decided) in enumerate(zip(batch.views, decided_logits(network, batch), strict=True)):
            found = [_winners(logits, confidence) for logits in decided]
            shares = tuple(share for _, share in found if share is not None)
            clusters = tuple(labels for labels, _ in found)
            parts.append(ClusterWindow(view.write, clusters, batch.valid[index][view.core], shares))
    return parts


def decided_logits(network: Network, batch: WindowBatch) -> Iterator[tuple[torch.Tensor, ...]]:
    """The logits of what each window of a batch decides, (1, K, H, W), by each classifier.

    One that sees single pixels is not asked for the margin's.
    """
    features = network.extractor(batch.images)
    sees_margin = [looks_at_all_pixels(part) or not sees_single_pixels(part) for part in network.classifiers]
    for index, view in enumerate(batch.views):
        seen, (rows, columns) = features[index : index + 1], view.core
        yield tuple(
            classifier(seen)[..., rows, columns] if whole else classifier(seen[..., rows, columns])
            for classifier, whole in zip(network.classifiers, sees_margin, strict=True)
        )


def look(network: Network, batch: WindowBatch) -> list[Look]:
    """All that a network makes of each window of a batch, without its margin."""
    with torch.inference_mode():
        features = network.extractor(batch.images)
        logits = [classifier(features) for classifier in network.classifiers]
    looks = []
    for index, view in enumerate(batch.views):
        seen, *scores = (found[index].movedim(0, 2).cpu().numpy()[view.core] for found in (features, *logits))
        values, valid = batch.values[index][view.core], batch.valid[index][view.core]
        looks.append(Look(view.write, values, valid, seen, tuple(scores)))
    return looks


def _winners(
    logits: torch.Tensor, confidence: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
    """The winning clusters of logits (1, K, H, W), (H, W), and, if asked, how likely their classes are, (H, W)."""
    best = logits.max(dim=1, keepdim=True)
    share = None if confidence is None else _likely(logits, best, confidence)[0].float().cpu().numpy()
    return best.indices[0, 0].cpu().numpy(), share


def _likely(logits: torch.Tensor, best: torch.return_types.max, classes: NDArray[np.int64]) -> torch.Tensor:
    """(N, H, W), in [0, 1]: the softmax of the winning cluster and of those that share its class."""
    powers = (logits - best.values).exp_()
    total = powers.sum(dim=1)
    if len(np.unique(classes[classes >= 0])) == (classes >= 0).sum():
        return total.reciprocal()  # the winner is alone in its class
    groups = torch.from_numpy(np.where(classes < 0, classes.max() + 1, classes)).to(powers.device)
    sums = powers.new_zeros(len(powers), int(groups.max()) + 1, *powers.shape[2:]).index_add_(1, groups, powers)
    return sums.gather(1, groups[best.indices])[:, 0] / total
