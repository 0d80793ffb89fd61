"""What requests name, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException

from terrasift.raster import TILE, level_shape
from terrasift.viewer.scenes import Scene

__all__ = ["has_tile", "item", "json_of"]

_Item = TypeVar("_Item")


def item(items: Sequence[_Item], number: int, kind: str) -> _Item:
    """One of a list by its number; 404 if there is none."""
    if not 0 <= number < len(items):
        raise HTTPException(404, f"there is no such {kind}")
    return items[number]


def has_tile(scene: Scene, level: int, row: int, column: int) -> bool:
    """Whether a scene has a tile."""
    if not 0 <= level < scene.levels:
        return False
    height, width = level_shape(scene.info.height, scene.info.width, level)
    return 0 <= row * TILE < height and 0 <= column * TILE < width


async def json_of(request: Request) -> dict[str, Any]:
    """What a request says; 422 if it is not a JSON object."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HTTPException(422, "the request is not a JSON object")
    return body
