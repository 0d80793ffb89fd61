"""What a training comes back to, kept in memory as far as it fits."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray

__all__ = ["Kept"]

Arrays = tuple[NDArray[Any], ...]


class Kept:
    """Arrays by what they are of: the first that are made stay, until one does not fit any more.

    In another process, to which it travels, it begins empty.

    Parameters
    ----------
    most
        Bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._arrays: dict[Hashable, Arrays] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_most": self._most, "_left": self._most, "_arrays": {}}

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept."""
        return self._left == 0

    def get(self, key: Hashable, make: Callable[[], Arrays]) -> Arrays:
        """What is kept under a key, else what `make` gives."""
        found = self._arrays.get(key)
        if found is None:
            found = make()
            size = sum(part.nbytes for part in found)
            if size <= self._left:
                self._arrays[key] = found
                self._left -= size
            else:
                self._left = 0
        return found
