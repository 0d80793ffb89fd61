"""Scenes that are segmented at another resolution than their own, their clusters given on their own grid."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace

from terrasift.prediction.options import Wanted
from terrasift.prediction.windows import ClusterWindow, Segmenter
from terrasift.raster import Raster, ResampledGrid, Window
from terrasift.recipe import Recipe

__all__ = ["AtResolution", "on_own_grid"]


@dataclass(frozen=True)
class AtResolution:
    """A segmenter that is shown scenes at a recipe's resolution, and whose clusters come on their own grid."""

    segmenter: Segmenter
    recipe: Recipe

    @property
    def clusters(self) -> int:
        """K."""
        return self.segmenter.clusters

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window: see `on_own_grid`."""
        return on_own_grid(self.segmenter.segment, self.recipe, raster, wanted)


def on_own_grid(
    segment: Callable[[Raster, Wanted], Iterable[ClusterWindow]], recipe: Recipe, raster: Raster, wanted: Wanted
) -> Iterator[ClusterWindow]:
    """Segment a scene at the recipe's resolution: each of its own pixels takes the cluster found at its middle.

    Parameters
    ----------
    segment
        Gives the clusters of an open scene, which nobody else reads meanwhile: a thread may.
    recipe
        Its resolution and bands count.
    raster
        The open scene, on its own grid; one that is resampled already is segmented as it is.
    wanted
        Of the scene's own grid.

    Yields
    ------
    ClusterWindow
        Windows of the scene's own grid; a pixel is valid where the scene's own is.

    Raises
    ------
    InputError
        If there is a resolution, and the scene does not say where on Earth it lies.
    """
    is_resampled = raster.info.resolution is not None
    with raster.at(raster.info.resolution if is_resampled else recipe.resolution) as seen:
        grid = seen.resampled
        if is_resampled or grid is None:  # its own grid has that resolution
            yield from segment(seen, wanted)
            return
        for part in segment(seen, replace(wanted, done=_Done(grid, wanted.done))):
            for piece in _pieces(grid, part.window):
                own = grid.own_window(piece)
                rows, _ = piece.inside(part.window).slices
                yield ClusterWindow(
                    own,
                    tuple(grid.to_own(clusters[rows], piece) for clusters in part.clusters),
                    raster.read(own, recipe.bands)[1],
                    tuple(grid.to_own(shares[rows], piece) for shares in part.confidence),
                )


@dataclass(frozen=True)
class _Done(Container[Window]):
    """The windows of the resampled grid of which nothing is left to do on the scene's own."""

    grid: ResampledGrid
    own: Container[Window]

    def __contains__(self, window: object) -> bool:
        assert isinstance(window, Window)
        return all(self.grid.own_window(piece) in self.own for piece in _pieces(self.grid, window))


def _pieces(grid: ResampledGrid, window: Window) -> list[Window]:
    """Strips of a window that hold few enough of the scene's pixels, and some."""
    strips = grid.strips(window, _MOST_PIXELS)
    own = [grid.own_window(strip) for strip in strips]
    return [strip for strip, inside in zip(strips, own, strict=True) if inside.height and inside.width]


_MOST_PIXELS = 1 << 22
