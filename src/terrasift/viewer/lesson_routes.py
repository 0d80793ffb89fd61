"""Addresses of the page's Teach mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from terrasift.viewer.lessons import Lessons
from terrasift.viewer.requests import has_tile, item, json_of
from terrasift.viewer.scenes import Scene

__all__ = ["lesson_routes"]


def lesson_routes(lessons: Lessons, scenes: Sequence[Scene]) -> APIRouter:
    """Labels read and written, scenes made ready, tiles of what has been learned, suggestions."""
    routes = APIRouter()

    @routes.get("/lesson")
    def get_lesson() -> Response:
        return JSONResponse(_content(lessons))

    @routes.get("/lesson/labels.geojson")
    def get_labels() -> Response:
        return Response(lessons.content(), media_type="application/geo+json")

    @routes.put("/lesson")
    async def put_lesson(request: Request) -> Response:
        seen = request.headers.get("if-match", "").strip().strip('"')
        if not seen:
            raise HTTPException(428, "say by If-Match which labels these replace")
        written = await run_in_threadpool(lessons.write, await json_of(request), seen)
        if written is None:
            content = await run_in_threadpool(_content, lessons)
            return JSONResponse(content | {"problem": "the labels have been changed elsewhere"}, 412)
        return JSONResponse({"etag": written})

    @routes.post("/lesson/use")
    async def use() -> Response:
        legend = await run_in_threadpool(lessons.use)
        return JSONResponse({"classes": legend.names})

    @routes.get("/lesson/expected")
    def get_expected() -> Response:
        return JSONResponse(lessons.expect())

    @routes.post("/lesson/scenes/{scene}")
    async def prepare(scene: int) -> Response:
        item(scenes, scene, "scene")
        lessons.prepare(scene)
        return JSONResponse(lessons.describe(scene), 202)

    @routes.get("/lesson/scenes/{scene}")
    async def get_state(scene: int) -> Response:
        item(scenes, scene, "scene")
        return JSONResponse(lessons.describe(scene))

    @routes.get("/lesson/scenes/{scene}/suggestions")
    def get_suggestions(scene: int, count: int = 8) -> Response:
        item(scenes, scene, "scene")
        if not 1 <= count <= _MOST_SUGGESTIONS:
            raise HTTPException(422, f"ask for 1 to {_MOST_SUGGESTIONS}")
        return JSONResponse({"places": lessons.suggest(scene, count)})

    @routes.get("/lesson/scenes/{scene}/tiles/{version}/{level}/{row}/{column}")
    def get_tile(scene: int, version: int, level: int, row: int, column: int) -> Response:
        chosen = item(scenes, scene, "scene")
        if version < 1 or not has_tile(chosen, level, row, column):
            raise HTTPException(404, "there is no such tile")
        return Response(lessons.tile(scene, level, row, column), media_type="application/octet-stream")

    return routes


_MOST_SUGGESTIONS = 100


def _content(lessons: Lessons) -> dict[str, Any]:
    clicked, digest = lessons.read()
    return clicked.describe() | {"etag": digest}
