"""Scenes whose windows are computed by the workers of a Dask cluster."""

from __future__ import annotations

import functools
import pickle
from collections import deque
from collections.abc import Container, Iterator
from typing import Any

from torch.nn import Module

from terrasift.errors import RunError, TerrasiftError
from terrasift.network import Network
from terrasift.prediction.deciding import decide
from terrasift.prediction.own_grid import on_own_grid
from terrasift.prediction.predictor import Predictor
from terrasift.prediction.windows import ClusterWindow, Views
from terrasift.raster import Raster, Window
from terrasift.recipe import Recipe

__all__ = ["ClusterPredictor"]


class ClusterPredictor:
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
    """

    def __init__(self, client: Any, network: Network, recipe: Recipe) -> None:
        self._client = client
        self._recipe = recipe
        self._predictor = Predictor(network, recipe)
        self._trained = pickle.dumps((network.cpu(), recipe))

    def scene(
        self, raster: Raster, done: Container[Window] = (), *, confidence: bool = False
    ) -> Iterator[ClusterWindow]:
        """Clusters of an open scene, window by window, as `Predictor.scene` gives them.

        Raises
        ------
        InputError, SettingError
            As by `Predictor.scene`.
        RunError
            If workers are lost again and again.
        """
        return on_own_grid(functools.partial(self._scene, confidence=confidence), self._recipe, raster, done)

    def _scene(
        self, raster: Raster, done: Container[Window] = (), *, confidence: bool = False
    ) -> Iterator[ClusterWindow]:
        left = [
            batch for batch in self._predictor.batches(raster.info) if any(each.write not in done for each in batch)
        ]
        waiting: deque[Any] = deque()
        try:
            predictor = self._submit(_predictor, self._trained)
            network = self._submit(_ready, predictor, _result(self._submit(_answer, _context, predictor, raster.path)))
            for batch in left:
                waiting.append(self._submit(_answer, _compute, predictor, network, raster.path, batch, confidence))
                if len(waiting) > _AHEAD * max(1, sum(self._client.nthreads().values())):
                    yield from _result(waiting.popleft())
            while waiting:
                yield from _result(waiting.popleft())
        except _lost() as error:
            raise RunError(
                raster.path, f"was given up by the cluster ({error})", "look at its workers' logs"
            ) from error
        finally:
            self._client.cancel(list(waiting))

    def _submit(self, function: Any, *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)


_AHEAD = 3  # windows that wait for each thread: it has the next one at hand when it has done one


def _lost() -> type[Exception]:
    from distributed.scheduler import KilledWorker

    return KilledWorker


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
    network, recipe = pickle.loads(trained)  # from our own client
    return Predictor(network, recipe)


def _context(predictor: Predictor, path: str) -> bytes:
    with Raster(path, predictor.reader.recipe.resolution) as raster:
        return pickle.dumps(predictor.network_of(raster).cpu())


def _ready(predictor: Predictor, held: bytes) -> Module:
    return predictor.ready(pickle.loads(held))  # as `_context` made it


def _compute(
    predictor: Predictor, network: Module, path: str, batch: list[Views], confidence: bool
) -> list[ClusterWindow]:
    with Raster(path, predictor.reader.recipe.resolution) as raster:
        images, valid = predictor.reader.batch(raster, [entry.read for entry in batch])
    return decide(network, batch, images, valid, confidence=confidence)
