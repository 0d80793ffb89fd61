"""The built page, from this package's folder ``static``."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from terrasift.errors import SettingError

__all__ = ["check_built", "static_routes"]

_FOLDER = Path(__file__).parent / "static"


def check_built() -> None:
    """Check that the page is there; SettingError if it is yet to be built from its sources."""
    if not (_FOLDER / "index.html").exists():
        raise SettingError("view", _NOT_BUILT, _MEND_IN_SOURCE if _is_source() else _MEND_INSTALLED)


def _is_source() -> bool:
    """Whether this package is imported from its source, so that what is built there is found here."""
    return (Path(__file__).parents[3] / "page" / "package.json").exists()


_NOT_BUILT = "the page is not built: packages have it inside, a clone has not"
_MEND_IN_SOURCE = "run `make page` in the source folder (needs Node.js and npm)"
_MEND_INSTALLED = (
    "run `make page` in the clone that you installed from (needs Node.js and npm), then `pip install .` there again;"
    " or install a package: pip install --force-reinstall --no-deps terrasift"
)


def static_routes(token: str) -> APIRouter:
    """The page, with the token put into it, its script and its style; no other file."""
    routes = APIRouter()

    @routes.get("/")
    def get_page() -> Response:
        check_built()
        return HTMLResponse(with_token((_FOLDER / "index.html").read_text(encoding="utf-8"), token))

    @routes.get("/assets/page.js")
    def get_script() -> Response:
        return FileResponse(_FOLDER / "page.js", media_type="text/javascript")

    @routes.get("/assets/page.css")
    def get_style() -> Response:
        return FileResponse(_FOLDER / "page.css", media_type="text/css")

    return routes


def with_token(page: str, token: str) -> str:
    """The page with the content of its element ``meta name="terrasift-token"`` filled in."""
    return re.sub(r'(<meta name="terrasift-token" content=")[^"]*"', rf'\g<1>{token}"', page, count=1)
