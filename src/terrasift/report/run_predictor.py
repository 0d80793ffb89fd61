"""A predictor that remembers the contexts of the scenes it saw last: sections of a report look at the same ones."""

from __future__ import annotations

from collections import OrderedDict

from terrasift.network import Network
from terrasift.prediction import Predictor
from terrasift.raster import Raster
from terrasift.recipe import Recipe

__all__ = ["RememberingPredictor"]

_MOST = 8  # each holds a copy of the network


class RememberingPredictor(Predictor):
    """`Predictor`, for scenes that do not change meanwhile."""

    def __init__(self, network: Network, recipe: Recipe) -> None:
        super().__init__(network, recipe)
        self._held: OrderedDict[tuple[str, int | None], Network] = OrderedDict()

    def network_of(self, raster: Raster, classifier: int | None = None) -> Network:
        """As `Predictor.network_of`, found once for each of the last scenes."""
        key = raster.path, classifier
        if key not in self._held:
            self._held[key] = super().network_of(raster, classifier)
            if len(self._held) > _MOST:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]
