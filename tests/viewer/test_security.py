"""Requests that the page would never send: each is refused, or does nothing."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from terrasift.viewer.security import MOST_BYTES, Guard
from tests.viewer.page_server import TOKEN, Served


@pytest.mark.parametrize(
    "path",
    [
        *("/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../app.py"),
        *("/assets/..%2f..%2fapp.py", "/assets/page.js/../../app.py", "/assets/%2fetc%2fpasswd", "//etc/passwd"),
        *(
            "/assets/..\\..\\app.py",
            "/assets/page.js%00.css",
            "/api/scenes/..%2f0/clusters",
            "/api/scenes/0x0/clusters",
        ),
        *("/api/scenes/%2fetc%2fpasswd/image/0/0/0.png", "/api/scenes/0/image/0/0/..%2f..%2f0.png", "/legend.yaml"),
        "/api/scenes/" + "9" * 5000 + "/clusters",
    ],
)
def test_no_other_path_is_served(served: Served, path: str) -> None:
    status, body = ask(served, "GET", path)
    assert status in (404, 422)
    assert b"root:" not in body
    assert b"import" not in body


def ask(served: Served, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """A request sent as it is written, with no header but Host and those given."""
    name, port = served.host.split(":")
    connection = http.client.HTTPConnection(name, int(port), timeout=30)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for header, value in headers.items():
            connection.putheader(header.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("host", ["evil.example:PORT", "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.2:PORT"])
@pytest.mark.parametrize("path", ["/", "/api/session"])
def test_another_host_is_refused(served: Served, host: str, path: str) -> None:
    port = served.host.split(":")[1]
    assert ask(served, "GET", path, Host=host.replace("PORT", port))[0] == 403


@pytest.mark.parametrize("host", ["", "[", "[::1", "a:b:c", "127.0.0.1:99999999", "127.0.0.1:PORT@evil", " "])
def test_malformed_hosts_are_refused(served: Served, host: str) -> None:
    assert ask(served, "GET", "/api/session", Host=host.replace("PORT", served.host.split(":")[1]))[0] in (400, 403)


def test_localhost_is_the_loopback(served: Served) -> None:
    host = f"localhost:{served.host.split(':')[1]}"
    assert ask(served, "GET", "/api/session", Host=host, Origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://HOST", "http://HOST.evil.example", "file://"]
)
def test_other_sites_are_refused(served: Served, origin: str) -> None:
    origin = origin.replace("HOST", served.host)
    for method in ("GET", "PUT", "OPTIONS"):
        status, body = ask(served, method, "/api/legend", Origin=origin, X_Terrasift_Token=TOKEN)
        assert status == 403
        assert b"cluster" not in body


def test_no_answer_lets_other_sites_in(served: Served) -> None:
    answer = served.client.get("/api/session", headers={"Origin": f"http://{served.host}"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    refused = served.client.get("/api/session", headers={"Origin": "http://evil.example"})
    assert refused.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("token", [None, "", "0" * 64, TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "\xe9"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/legend"), ("POST", "/api/exports"), ("DELETE", "/")])
def test_a_change_needs_the_pages_token(served: Served, token: str | None, method: str, path: str) -> None:
    headers = {} if token is None else {"X_Terrasift_Token": token}
    assert ask(served, method, path, **headers)[0] == 403
    assert served.run.legend_file.exists()


def test_a_gigabyte_is_refused_before_it_comes(served: Served) -> None:
    headers = {"Content_Length": str(10**9), "X_Terrasift_Token": TOKEN, "If_Match": "x"}
    assert ask(served, "PUT", "/api/legend", **headers)[0] == 413
    assert ask(served, "GET", "/api/session", Content_Length=str(10**9))[0] == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 400, "0x10"])
def test_a_malformed_length_is_refused(served: Served, length: str) -> None:
    assert ask(served, "PUT", "/api/legend", Content_Length=length, X_Terrasift_Token=TOKEN)[0] in (400, 413)


def test_a_gigabyte_in_pieces_is_refused_while_it_comes(served: Served) -> None:
    """Without a length: the answer comes after a million bytes, and most of the rest is never taken."""
    name, port = served.host.split(":")
    sent = 0
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        lines = ["PUT /api/legend HTTP/1.1", f"Host: {served.host}", f"X-Terrasift-Token: {TOKEN}", "If-Match: x"]
        connection.sendall("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
        piece = b"%X\r\n%s\r\n" % (65536, b" " * 65536)
        answer = b""
        with contextlib.suppress(ConnectionError):
            for _ in range(10**9 // 65536):
                connection.sendall(piece)
                sent += 65536
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(4096)
    assert b" 413 " in answer or not answer  # the connection may go before the answer is read
    assert sent < 10**8
    assert served.client.get("/api/session").status_code == 200


def test_a_body_of_the_allowed_size_is_read(served: Served) -> None:
    body = b'{"classes": []}'
    answer = served.client.put("/api/legend", content=body.ljust(MOST_BYTES), headers={"If-Match": "x"})
    assert answer.status_code in (412, 422)
    over = {"Content_Length": str(MOST_BYTES + 1), "X_Terrasift_Token": TOKEN, "If_Match": "x"}
    assert ask(served, "PUT", "/api/legend", **over)[0] == 413


def test_pieces_are_counted_together(served: Served) -> None:
    def pieces(count: int) -> Iterator[bytes]:
        yield from [b" " * 1000] * count

    status = {}
    for count in (MOST_BYTES // 1000, MOST_BYTES // 1000 + 1):
        with contextlib.suppress(httpx.TransportError):  # the connection may go before the last piece
            answer = served.client.put("/api/legend", content=pieces(count), headers={"If-Match": "x"})
            status[count] = answer.status_code
    assert status.pop(MOST_BYTES // 1000) == 422  # blanks are no JSON
    assert set(status.values()) <= {413}


@pytest.mark.parametrize(
    ("bound", "host", "own"),
    [
        ("127.0.0.1", "127.0.0.1:80", True),
        ("127.0.0.1", "127.0.0.1", True),  # 80 need not be said
        ("127.0.0.1", "LOCALHOST:80", True),
        ("127.0.0.1", "localhost.evil.example:80", False),
        ("::1", "[::1]:80", True),
        ("::1", "localhost", True),
        ("0.0.0.0", "192.168.1.7:80", True),
        ("0.0.0.0", "evil.example:80", False),
        ("0.0.0.0", f"{socket.gethostname()}:80", True),
        ("192.168.1.7", "192.168.1.7:80", True),
        ("192.168.1.7", "192.168.1.8:80", False),
        ("192.168.1.7", "localhost:80", False),
        ("mymachine", "mymachine:80", True),
        ("mymachine", "evil.example:80", False),
    ],
)
def test_which_hosts_are_the_servers_own(bound: str, host: str, own: bool) -> None:
    async def app(*_: object) -> None: ...

    assert Guard(app, bound, 80, "ab")._is_own(host) is own


def test_many_threads_at_once(served: Served) -> None:
    """Handles are not shared: the same tiles come out whoever asks."""
    addresses = [f"/api/scenes/0/{kind}/{place}" for kind in ("labels", "confidence") for place in ("0/0/0", "1/1/1")]
    expected = {address: served.client.get(address).content for address in addresses}
    wrong: list[str] = []

    def look() -> None:
        for _ in range(5):
            wrong.extend(address for address in addresses if served.client.get(address).content != expected[address])

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
