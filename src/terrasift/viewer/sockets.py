"""Where the page listens; imports nothing heavy, so that a port that is taken is said at once."""

from __future__ import annotations

import socket

from terrasift.errors import SettingError

__all__ = ["LOOPBACK", "bound_socket"]

LOOPBACK = "127.0.0.1"


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket at an address, not listening yet; SettingError if there can be none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol said, asyncio sends small answers at once; else each waits 40 ms for more to send.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        where = "port" if port else "host"
        raise SettingError(where, f"cannot listen at {host}:{port} ({error.strerror})", "choose another") from error
    return listener
