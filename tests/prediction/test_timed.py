"""The stopwatch of a segmenter."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from terrasift.prediction import ClusterWindow, TimedSegmenter
from terrasift.raster import Window


def test_only_the_wait_for_windows_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    parts = [ClusterWindow(Window(0, k, 1, 1), (np.zeros((1, 1), np.int64),), np.ones((1, 1), bool)) for k in range(3)]

    class Slow:
        clusters = 5

        def segment(self, *_: object) -> Iterator[ClusterWindow]:
            for part in parts:
                now[0] += 1.0
                yield part
            now[0] += 0.5

    timed = TimedSegmenter(Slow())
    assert timed.clusters == 5
    for _ in range(2):
        passed = []
        for part in timed.segment(None):  # type: ignore[arg-type]
            now[0] += 100.0
            passed.append(part)
        assert all(found is part for found, part in zip(passed, parts, strict=True))
    assert timed.seconds == 7.0
