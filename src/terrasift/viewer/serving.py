"""`terrasift view`: the page served on this machine until it is stopped."""

from __future__ import annotations

import ipaddress
import logging
import os
import secrets
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from terrasift.api import Run
from terrasift.data.scenes import find_scenes
from terrasift.prediction import map_paths
from terrasift.viewer.app import Page
from terrasift.viewer.scenes import make_ready
from terrasift.viewer.security import Guard
from terrasift.viewer.sockets import LOOPBACK, bound_socket
from terrasift.viewer.static import check_built

__all__ = ["make_server", "view"]

_logger = logging.getLogger(__name__)


def view(
    run: Run,
    scenes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    browser: bool = True,
) -> None:
    """Map scenes unless that is done, serve the page that shows them, and open it in the browser.

    Returns when it is interrupted.

    Parameters
    ----------
    run
        Trained.
    scenes
        Files, folders, glob patterns, or any path GDAL opens.
    out
        Where exported maps go; None: ``RUN/maps``.
    host
        The address to listen at. At any but the loopback's, whoever reaches this machine sees the scenes, and may
        rename their classes.
    port
        0: a free one.
    browser
        Whether to open the page.

    Raises
    ------
    InputError
        If a scene does not fit the run.
    SettingError
        If the page is not built, or if the address cannot be used.
    """
    check_built()
    paths = find_scenes(scenes)
    targets = map_paths(paths, Path(out) if out is not None else run.path / "maps")
    with bound_socket(host, port) as listener:
        port = listener.getsockname()[1]
        page = None
        try:
            token = secrets.token_hex(32)
            page = Page(run, make_ready(run, paths), targets, token)
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
            listener.listen()  # whoever reads the address may come before the server is there: it waits
            _logger.info("serving %s (stop with Ctrl+C)", address)
            if not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
                _logger.warning("whoever reaches this machine sees the scenes, and may rename their classes")
            if browser:
                webbrowser.open(address)
            make_server(Guard(page.app, host, port, token)).run(sockets=[listener])
        finally:
            if page is not None:
                page.close()


def make_server(app: Guard) -> uvicorn.Server:
    """What answers requests at a socket until the process is interrupted."""
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(settings)
