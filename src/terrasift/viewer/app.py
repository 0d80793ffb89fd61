"""What the page's server answers, address by address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from math import floor
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from terrasift.api import Run
from terrasift.errors import RunError, TerrasiftError
from terrasift.legend import Legend
from terrasift.viewer.census import Censuses, thumbnail
from terrasift.viewer.exports import Exports
from terrasift.viewer.groups import Groups
from terrasift.viewer.legends import LegendStore
from terrasift.viewer.lesson_routes import lesson_routes
from terrasift.viewer.lessons import Lessons
from terrasift.viewer.readers import OpenRasters, Readers
from terrasift.viewer.requests import has_tile, item, json_of
from terrasift.viewer.scenes import Scene
from terrasift.viewer.static import static_routes
from terrasift.viewer.tiles import confidence_tile, image_tile, label_tile, point

__all__ = ["Page"]


class Page:
    """The application, and what it keeps running.

    Parameters
    ----------
    run
        Whose legend the page edits.
    scenes
        Made ready, one at least; a request names one by its place in this list.
    targets
        Where the class map of each goes.
    token
        Hexadecimal; the page carries it.

    Attributes
    ----------
    app
        To be served behind a `Guard`: by itself it asks for no token.
    """

    def __init__(self, run: Run, scenes: Sequence[Scene], targets: Sequence[Path], token: str) -> None:
        recipe = run.recipe
        self._readers = Readers()
        self._lessons = Lessons(run, scenes)
        self._exports = Exports(recipe.clusters)
        store = LegendStore(run, scenes[0].classifier)  # the legend's own may have turned since they were mapped
        session = {
            "run": run.path.resolve().name,
            "folder": str(run.path.resolve()),
            "clusters": recipe.clusters,
            "classifiers": recipe.classifiers,
            "scenes": [{"id": number, **scene.describe()} for number, scene in enumerate(scenes)],
            "version": version("terrasift"),
            "taught": bool(run.legend.taught),
        }
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self.app.include_router(static_routes(token))
        self.app.include_router(_scene_routes(session, scenes, self._readers, recipe.clusters), prefix="/api")
        self.app.include_router(_legend_routes(store, Groups(run, [scene.path for scene in scenes])), prefix="/api")
        self.app.include_router(_export_routes(store, scenes, targets, self._exports), prefix="/api")
        self.app.include_router(lesson_routes(self._lessons, scenes), prefix="/api")
        _say_problems_in_one_line(self.app)

    def close(self) -> None:
        """Stop what runs beside the server; an export that is not done leaves no file."""
        self._exports.close()
        self._lessons.close()
        self._readers.close()


def _scene_routes(session: dict[str, Any], scenes: Sequence[Scene], readers: Readers, clusters: int) -> APIRouter:
    routes = APIRouter()
    censuses = Censuses(readers, scenes, clusters)

    @routes.get("/session")
    async def get_session() -> Response:
        return JSONResponse(session)

    def serve_tiles(address: str, read: Callable[[OpenRasters, Scene, int, int, int], bytes], kind: str) -> None:
        @routes.get(f"/scenes/{{scene}}/{address}")
        async def get_tile(scene: int, level: int, row: int, column: int) -> Response:
            chosen = item(scenes, scene, "scene")
            if not has_tile(chosen, level, row, column):
                raise HTTPException(404, "there is no such tile")
            return Response(await readers.run(read, chosen, level, row, column), media_type=kind)

    serve_tiles("image/{level}/{row}/{column}.png", image_tile, "image/png")
    serve_tiles("labels/{level}/{row}/{column}", label_tile, "application/octet-stream")
    serve_tiles("confidence/{level}/{row}/{column}", confidence_tile, "application/octet-stream")

    @routes.get("/scenes/{scene}/clusters")
    async def get_clusters(scene: int) -> Response:
        item(scenes, scene, "scene")
        return JSONResponse({"clusters": (await censuses.of(scene)).describe(scene)})

    @routes.get("/scenes/{scene}/clusters/{cluster}.png")
    async def get_thumbnail(scene: int, cluster: int) -> Response:
        chosen = item(scenes, scene, "scene")
        found = await censuses.of(scene)
        if not item(found.counts.tolist(), cluster, "cluster"):
            raise HTTPException(404, "the scene holds no pixel of this cluster")
        return Response(await readers.run(thumbnail, chosen, found, cluster), media_type="image/png")

    @routes.get("/scenes/{scene}/point")
    async def get_point(scene: int, x: float, y: float) -> Response:
        chosen = item(scenes, scene, "scene")
        if not (0 <= x < chosen.info.width and 0 <= y < chosen.info.height):
            raise HTTPException(404, "this is outside the scene")
        return JSONResponse(await readers.run(point, chosen, floor(y), floor(x)))

    return routes


def _legend_routes(store: LegendStore, groups: Groups) -> APIRouter:
    routes = APIRouter()

    @routes.get("/groups")
    def get_groups() -> Response:
        return JSONResponse(groups.describe())

    @routes.get("/legend")
    def get_legend() -> Response:
        legend, digest = store.read()
        return JSONResponse(_described(legend) | {"etag": digest}, headers={"ETag": f'"{digest}"'})

    @routes.put("/legend")
    async def put_legend(request: Request) -> Response:
        seen = request.headers.get("if-match", "").strip().strip('"')
        if not seen:
            raise HTTPException(428, "say by If-Match which legend this one replaces")
        body = await json_of(request)
        written = await run_in_threadpool(store.write, body.get("classes"), seen)
        if written is not None:
            return JSONResponse({"etag": written}, headers={"ETag": f'"{written}"'})
        legend, digest = await run_in_threadpool(store.read)
        content = {"legend": _described(legend), "etag": digest}
        return JSONResponse(content | {"problem": "the legend has been changed elsewhere"}, 412)

    return routes


def _export_routes(store: LegendStore, scenes: Sequence[Scene], targets: Sequence[Path], exports: Exports) -> APIRouter:
    routes = APIRouter()

    @routes.post("/exports")
    async def post_export(request: Request) -> Response:
        body = await json_of(request)
        number = body.get("scene")
        if type(number) is not int:
            raise HTTPException(422, "say which scene by its number")
        scene, path = item(scenes, number, "scene"), item(targets, number, "scene")
        legend = await run_in_threadpool(store.with_classes, body.get("classes"))
        return JSONResponse({"id": exports.start(scene, legend, path)}, 202)

    @routes.get("/exports/{number}")
    async def get_export(number: int) -> Response:
        export = exports.get(number)
        if export is None:
            raise HTTPException(404, "there is no such export")
        return JSONResponse(export.describe())

    return routes


def _say_problems_in_one_line(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return JSONResponse({"problem": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, __: RequestValidationError) -> Response:
        return JSONResponse({"problem": "the address or its parameters are malformed"}, 422)

    @app.exception_handler(TerrasiftError)
    async def wrong(_: Request, error: TerrasiftError) -> Response:
        return JSONResponse({"problem": str(error)}, 409 if isinstance(error, RunError) else 422)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        return JSONResponse({"problem": "failed for a reason nobody thought of; the terminal says more"}, 500)


def _described(legend: Legend) -> dict[str, Any]:
    classes = [{"name": entry.name, "color": entry.color, "clusters": list(entry.clusters)} for entry in legend.classes]
    return {"classifier": legend.classifier, "classes": classes, "ignore": list(legend.ignore)}
