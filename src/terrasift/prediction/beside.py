"""Sheets that are segmented with what lies beyond their edges, which other sheets show."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from terrasift.errors import InputError
from terrasift.prediction.options import Wanted
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.raster import Raster, Surrounded, Window

__all__ = ["WithSurroundings"]


@dataclass(frozen=True)
class WithSurroundings:
    """A segmenter that sees a sheet with its neighbours, so that their maps meet without a seam."""

    segmenter: Segmenter
    surrounded: Surrounded

    @property
    def clusters(self) -> int:
        """K."""
        return self.segmenter.clusters

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of the sheet, which must be `raster`, window by window. Errors as by the segmenter."""
        sheet = self.surrounded.inside
        done = _Done(sheet, wanted.done)
        try:
            with Raster(self.surrounded.path) as seen:
                parts = self.segmenter.segment(seen, replace(wanted, done=done))
                with contextlib.closing(parts):  # type: ignore[type-var]
                    for part in parts:
                        if own := _in_sheet(part.window, sheet):
                            yield _cut(part, own, sheet)
        except InputError as error:
            if str(error.where) != self.surrounded.path:
                raise
            raise InputError(raster.path, f"with the scenes beside it: {error.what}", error.mend) from error


@dataclass(frozen=True)
class _Done(Container[Window]):
    """The windows of the larger raster of which nothing is left to do in the sheet."""

    sheet: Window
    own: Container[Window]

    def __contains__(self, window: object) -> bool:
        assert isinstance(window, Window)
        own = _in_sheet(window, self.sheet)
        return own is None or own in self.own


def _in_sheet(window: Window, sheet: Window) -> Window | None:
    """What a window of the larger raster shows of the sheet, on the sheet's own grid."""
    shown = window.common(sheet)
    return None if shown is None else shown.inside(sheet)


def _cut(part: ClusterWindow, own: Window, sheet: Window) -> ClusterWindow:
    offset = Window(own.row + sheet.row, own.column + sheet.column, own.height, own.width)
    rows, columns = offset.inside(part.window).slices
    return ClusterWindow(
        own,
        tuple(clusters[rows, columns] for clusters in part.clusters),
        part.valid[rows, columns],
        tuple(shares[rows, columns] for shares in part.confidence),
    )
