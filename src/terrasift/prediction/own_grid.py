"""Scenes that are segmented at another resolution than their own, their clusters given on their own grid."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from terrasift.prediction.windows import ClusterWindow
from terrasift.raster import Raster, ResampledGrid, Window
from terrasift.recipe import Recipe

__all__ = ["on_own_grid"]


def on_own_grid(
    segment: Callable[..., Iterator[ClusterWindow]], recipe: Recipe, raster: Raster, done: Container[Window] = ()
) -> Iterator[ClusterWindow]:
    """Segment a scene at the recipe's resolution: each of its own pixels takes the cluster found at its middle.

    Parameters
    ----------
    segment
        Gives the clusters of an open scene, and may be given the windows that are done.
    recipe
        Its resolution and bands count.
    raster
        The open scene, on its own grid; one that is resampled already is segmented as it is.
    done
        Windows that may be left out.

    Yields
    ------
    ClusterWindow
        Windows of the scene's own grid; a pixel is valid where the scene's own is.

    Raises
    ------
    InputError
        If there is a resolution, and the scene does not say where on Earth it lies.
    """
    if recipe.resolution is None or raster.info.resolution is not None:
        yield from segment(raster, done) if done else segment(raster)
        return
    with Raster(raster.path, recipe.resolution) as resampled:
        grid = resampled.resampled
        if grid is None:  # its own grid has that resolution
            yield from segment(resampled, done) if done else segment(resampled)
            return
        for part in segment(resampled, _Done(grid, done)) if done else segment(resampled):
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
