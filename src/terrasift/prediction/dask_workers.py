"""Scenes whose windows are computed by the workers of a Dask cluster."""

from __future__ import annotations

import copy
import logging
import pickle
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrasift.errors import RunError, TerrasiftError
from terrasift.machine import take_large_pages
from terrasift.network import Network
from terrasift.prediction.deciding import decide
from terrasift.prediction.options import Wanted
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.windows import ClusterWindow, Views
from terrasift.raster import Raster
from terrasift.recipe import Recipe
from terrasift.run import absolute_path

__all__ = ["DaskPredictor"]

_logger = logging.getLogger(__name__)


class DaskPredictor:
    """A trained network that reads scenes on other processes or machines.

    Each scene's context is found by one worker and then sent to all as it is, so that whichever of them computes a
    window, and however often because a worker was lost, its clusters are the same.

    Parameters
    ----------
    client
        A Dask client. Its workers open the scenes under the same paths.
    network
        Trained, on the CPU.
    recipe
        Its recipe.
    clusters
        K, where that is not the recipe's.

    Attributes
    ----------
    clusters
        K, of each classifier.
    """

    def __init__(self, client: Any, network: Network, recipe: Recipe, clusters: int | None = None) -> None:
        self._client = client
        self._recipe = recipe
        self.clusters = clusters or recipe.clusters
        self._trained = pickle.dumps((network, recipe))
        here = recipe.compute.model_copy(update={"device": "cpu"})  # it only plans: the workers compute
        self._predictor = Predictor(copy.deepcopy(network), recipe.model_copy(update={"compute": here}))

    def segment(self, raster: Raster, wanted: Wanted = Wanted()) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window, as `Predictor.segment` gives them.

        Raises
        ------
        InputError, SettingError
            As by `Predictor.segment`.
        RunError
            If workers are lost again and again.
        """
        return on_own_grid(self._segment, self._recipe, raster, wanted)

    def _segment(self, raster: Raster, wanted: Wanted) -> Iterator[ClusterWindow]:
        left = self._predictor.batches(raster.info, wanted.done)
        path = absolute_path(raster.path)
        if not self._client.nthreads():
            _logger.warning("the cluster has no workers yet: waiting for them")
        waiting: deque[Any] = deque()
        try:
            predictor = self._submit(_predictor, self._trained)
            network = self._submit(
                _ready, predictor, _result(self._submit(_answer, _context, predictor, path, wanted.classifier))
            )
            for batch in left:
                waiting.append(self._submit(_answer, _compute, predictor, network, path, batch, wanted.confidence))
                if len(waiting) > _AHEAD * max(1, sum(self._client.nthreads().values())):
                    yield from _result(waiting.popleft())
            while waiting:
                yield from _result(waiting.popleft())
        except _lost() as error:
            problem = f"was given up by the cluster ({type(error).__name__}: {error})"
            raise RunError(raster.path, problem, "look at its logs; `resume=True` goes on") from error
        finally:
            self._client.cancel(list(waiting))

    def _submit(self, function: Any, *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)


_AHEAD = 3  # windows that wait for each thread: it has the next one at hand when it has done one


def _lost() -> tuple[type[Exception], ...]:
    """A worker again and again, the scheduler, or the client in the middle of it."""
    from distributed import CancelledError
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    return KilledWorker, CommClosedError, CancelledError, ClosedClientError


def _result(future: Any) -> Any:
    result = future.result()
    if isinstance(result, TerrasiftError):
        raise result
    return result


def _answer(function: Any, *arguments: Any) -> Any:
    # What is wrong comes back as a result: as an exception it would bring its causes, and GDAL's cannot be pickled.
    try:
        return function(*arguments)
    except TerrasiftError as error:
        return type(error)(error.where, error.what, error.mend)


def _predictor(trained: bytes) -> Predictor:
    take_large_pages()
    network, recipe = pickle.loads(trained)  # from our own client
    return Predictor(network, recipe)


def _context(predictor: Predictor, path: str, classifier: int | None) -> bytes:
    with Raster(path, predictor.reader.recipe.resolution) as raster:
        return pickle.dumps(copy.deepcopy(predictor.network_of(raster, classifier)).cpu())


def _ready(predictor: Predictor, frozen: bytes) -> Network:
    return predictor.ready(pickle.loads(frozen))  # as `_context` made it


def _compute(
    predictor: Predictor, network: Network, path: str, batch: list[Views], confidence: NDArray[np.int64] | None
) -> list[ClusterWindow]:
    with Raster(path, predictor.reader.recipe.resolution) as raster:
        loaded = predictor.reader.batch(raster, batch)
    return decide(network, loaded, confidence)
