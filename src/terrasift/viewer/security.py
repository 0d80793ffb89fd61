"""What a request must be before anything looks at it."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST_BYTES", "Guard"]

MOST_BYTES = 1_000_000
"""Of a request's body."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",  # another run may be served at this address tomorrow
}


class Guard:
    """Lets a request through to the application only if it comes from the page that this server has served.

    Refused are: a host other than the address bound, so that no other site's name can be made to point here; the origin
    of another site; any method that can change something without the token that only the page has; large bodies.

    Parameters
    ----------
    app
        The application.
    host, port
        What the server is bound to. Where that is every address of the machine, any of them written in numbers will
        do, and the machine's name.
    token
        What the page was given.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, token: str) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request as ASGI has it."""
        if scope["type"] != "http":
            return  # neither sockets nor the server's start and end concern the application
        headers = Headers(scope=scope)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            status, problem = refusal
            answer = JSONResponse({"problem": problem}, status, {"Connection": "close"})
            await answer(scope, receive, send_safely)
            return
        await self._app(scope, _limited(receive), send_safely)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_own(host):
            return 403, "this server goes by another address"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "other sites may not ask"
        if method not in ("GET", "HEAD"):
            token = headers.get("x-terrasift-token", "").encode("utf-8", "replace")
            if not secrets.compare_digest(token, self._token):
                return 403, "this page is not the one that the server has served: load it anew"
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,18}", length) or int(length) > MOST_BYTES:
            return 413, _TOO_LARGE
        return None

    def _is_own(self, host: str) -> bool:
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", host)
        if match is None or int(match[2] or 80) != self._port:
            return False
        name = match[1].strip("[]").lower()
        bound = _address(self._host)
        if bound is None:
            return name == self._host.lower()
        address = _address(name)
        if bound.is_unspecified:
            return address is not None or name in ("localhost", socket.gethostname().lower())
        return address == bound or (bound.is_loopback and name == "localhost")


_TOO_LARGE = f"a request may have {MOST_BYTES} bytes"


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _limited(receive: Receive) -> Receive:
    """The same, but refusing bodies that turn out too large as they come."""
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise HTTPException(413, _TOO_LARGE, {"Connection": "close"})
        return message

    return receive_some
