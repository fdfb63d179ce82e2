"""A web server with one directory of bytes, which fails as it is told to."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit


class Asked(NamedTuple):
    """A request, as the server heard it. ``start`` and ``stop`` are bytes; both None for all."""

    method: str
    target: str
    start: int | None
    stop: int | None
    headers: dict[str, str]


class Server(ThreadingHTTPServer):
    """Serves ``files`` by path. ``rule`` may answer a request itself, and says so by True."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.tags: dict[str, str | None] = {}
        self.rule: Callable[[BaseHTTPRequestHandler, Asked], bool] = lambda *_: False
        self.ranges = True
        self.latency = 0.0
        self.asked: list[Asked] = []
        self.sent = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, path: str, data: bytes, tag: str | None = '"one"') -> str:
        """Serve ``data`` at ``path``. Returns the address."""
        self.files[path], self.tags[path] = data, tag
        return self.url + path

    def stall(self) -> None:
        """Wait until the test is over."""
        self.over.wait(60)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    # Headers and body in one piece, or the client's delayed acknowledgement is measured.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = urlsplit(self.path).path
        data = self.server.files.get(path)
        start, stop = self._range(len(data or b""))
        asked = Asked(self.command, self.path, start, stop, dict(self.headers))
        self.server.asked.append(asked)
        time.sleep(self.server.latency)
        if self.server.rule(self, asked):
            return
        if data is None:
            self.plain(404)
            return
        tag = self.server.tags[path]
        if tag is not None and self.headers.get("If-Match", tag) != tag:
            self.plain(412)
            return
        if start is None or stop is None or not self.server.ranges:
            self.send_response(200)
            body = data
        elif start >= len(data):
            self.plain(416)
            return
        else:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            body = data[start:stop]
        self.send_header("Content-Length", str(len(body)))
        if tag is not None:
            self.send_header("ETag", tag)
        self.end_headers()
        if with_body:
            self.server.sent += len(body)
            self.wfile.write(body)

    def _range(self, size: int) -> tuple[int | None, int | None]:
        said = self.headers.get("Range", "").removeprefix("bytes=")
        first, dash, last = said.partition("-")
        if not (dash and first):
            return None, None
        return int(first), min(size, int(last) + 1) if last else size

    def plain(self, code: int, **headers: str) -> None:
        """An answer without a body."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server that is gone afterwards."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
