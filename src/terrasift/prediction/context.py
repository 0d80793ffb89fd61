"""A bounded, seeded sample of a scene's windows, from which its context is found (docs/method.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from terrasift.blocks.context import SampleWindow
from terrasift.data.patches import windows_of
from terrasift.raster import Window

__all__ = ["MOST_WINDOWS", "sample_windows"]

MOST_WINDOWS = 64
"""That a scene's context is found in."""

_MOST_READ = 1024  # where most of a scene is nodata, unless they showed
_LEAST_WINDOWS = 16  # with data: for these the whole scene is gone through


def sample_windows(
    height: int,
    width: int,
    side: int,
    read: Callable[[Window], tuple[torch.Tensor, NDArray[np.bool_]]],
) -> list[SampleWindow]:
    """Windows drawn evenly over a scene; all of them where they are few. Windows without data are passed over.

    Parameters
    ----------
    height, width
        Of the scene.
    side
        Of a window: what the network was trained on.
    read
        Gives a window as the network takes it, (1, B, H, W), and its validity, (H, W).
    """
    windows = windows_of(height, width, side)
    order = np.random.default_rng(0).permutation(len(windows))
    sample: list[tuple[int, SampleWindow]] = []
    for number, index in enumerate(order.tolist()):
        if number >= _MOST_READ and len(sample) >= _LEAST_WINDOWS:
            break
        image, valid = read(windows[index])
        if valid.any():
            sample.append((index, SampleWindow(image, torch.from_numpy(valid)[None].to(image.device))))
        if len(sample) == MOST_WINDOWS:
            break
    if not sample:  # nothing will be mapped, but the network needs some context
        image, valid = read(windows[0])
        sample = [(0, SampleWindow(image, torch.ones(1, *valid.shape, dtype=torch.bool, device=image.device)))]
    return [part for _, part in sorted(sample, key=lambda entry: entry[0])]
