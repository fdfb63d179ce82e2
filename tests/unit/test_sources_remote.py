"""Images on a web server: what is asked of it, and what happens where it fails."""

import logging
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import isomount
from isomount.errors import ForbiddenImageError, ImageUnreadableError, MissingImageError
from isomount.sources import Keeping, Source, absolute, beside, file_name, shown
from isomount.sources import open_source as open_kept
from isomount.sources.remote import patience
from isomount.sources.remote.stores import Deadlines
from tests.remote.server import Asked, Server, serving

pytest.importorskip("obstore")
objects = pytest.importorskip("isomount.sources.remote.objects")

DATA = os.urandom(700_000)
BLOCK = objects.BLOCK
QUICK = Deadlines(connect=1, read=0.3, answer=2)


def open_source(address: str) -> Source:
    """Without a cache."""
    return open_kept(address, Keeping(0))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(patience, "_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(patience, "_REST", 0.2)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_only_ranges_travel_and_the_first_one_tells_all(server: Server) -> None:
    source = open_source(server.add("/a.iso", DATA))
    assert source.size == len(DATA)
    assert source.read_at(0, BLOCK) == DATA[:BLOCK]
    assert len(server.asked) == 1
    assert source.read_at(300_000, 5000) == DATA[300_000:305_000]
    assert source.read_at(len(DATA) - 10, 100) == DATA[-10:]
    assert source.read_at(len(DATA), 100) == b""
    assert [(each.start, each.stop) for each in server.asked[1:]] == [
        (300_000, 305_000),
        (len(DATA) - 10, len(DATA)),
    ]
    assert all(each.headers["if-match"] == '"one"' for each in server.asked[1:])
    source.close()


def test_an_address_is_asked_for_as_it_was_written(server: Server) -> None:
    server.add("/a%20b%252B/x+y.iso", DATA)
    source = open_source(f"{server.url}/a%20b%252B/x+y.iso?sig=a%2Fb&x=1#part")
    assert server.asked[0].target == "/a%20b%252B/x+y.iso?sig=a%2Fb&x=1"
    assert source.name == f"{server.url}/a%20b%252B/x+y.iso"
    source.close()


def test_names_of_addresses() -> None:
    secret = "https://me:word@e.org/d%20s/x%2Fy.iso?key=1"
    assert shown(secret) == "https://e.org/d%20s/x%2Fy.iso"
    assert shown("ssh://me@host/x.iso") == "ssh://me@host/x.iso"
    assert absolute(secret) == secret
    assert file_name("https://e.org/d%20s/x%2Fy.iso?key=1") == "x_y.iso"
    assert beside("https://e.org/d/a.cue?k=1", "b c.bin") == "https://e.org/d/b%20c.bin?k=1"
    assert beside("s3://bucket/d e/a.cue", "../c d.bin") == "s3://bucket/c d.bin"
    assert file_name("s3://bucket/d/x%20y.iso") == "x%20y.iso"
    assert shown("https://[x/a.iso") == "://"


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ImageUnreadableError, match=r"~/\.netrc") as caught:
        open_source("http://me:hidden@127.0.0.1/a.iso")
    assert "hidden" not in str(caught.value)


def test_user_and_password_come_from_netrc(server: Server, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password word\n")
    open_source(server.add("/a.iso", DATA)).close()
    assert server.asked[0].headers["authorization"] == "Basic bWU6d29yZA=="


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (404, MissingImageError, "has no such file"),
        (410, MissingImageError, "has no such file"),
        (403, ForbiddenImageError, "does not let you read it"),
        (401, ForbiddenImageError, "does not let you read it"),
        (418, ImageUnreadableError, "answers with status 418"),
        (503, ImageUnreadableError, "answers with status 503; try again later"),
    ],
)
def test_what_the_server_refuses(
    server: Server, code: int, kind: type[ImageUnreadableError], said: str
) -> None:
    server.rule = lambda handler, asked: (handler.plain(code), True)[1]  # type: ignore[attr-defined]
    with pytest.raises(kind, match=said) as caught:
        open_source(f"{server.url}/a.iso?secret")
    assert "secret" not in str(caught.value)
    assert len(server.asked) == (3 if code == 503 else 1)


def test_a_server_without_ranges_is_refused(server: Server) -> None:
    server.ranges = False
    with pytest.raises(ImageUnreadableError, match=r"has no ranges.*download it first"):
        open_source(server.add("/a.iso", DATA))


def test_nobody_there_and_no_such_name() -> None:
    with pytest.raises(ImageUnreadableError, match="cannot be reached"):
        open_source("http://127.0.0.1:9/a.iso")
    with pytest.raises(ImageUnreadableError, match=r"names no object.*s3://BUCKET"):
        open_source("s3://bucket")


def answer(handler: BaseHTTPRequestHandler, said: str, length: int, body: bytes) -> bool:
    """A partial answer with this Content-Range and Content-Length."""
    handler.send_response(206)
    handler.send_header("ETag", '"one"')
    if said:
        handler.send_header("Content-Range", said)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()
    return True


WRONG = {
    "another range": (f"bytes 5-104/{len(DATA)}", 100, 100),
    "another size": (f"bytes 1000-1099/{len(DATA) - 1}", 100, 100),
    "too long": (f"bytes 1000-1099/{len(DATA)}", 200, 200),
    "no range": ("", 100, 100),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_answers_are_errors_and_no_bytes(server: Server, kind: str) -> None:
    said, length, sent = WRONG[kind]
    source = open_source(server.add("/a.iso", DATA))
    server.rule = lambda handler, asked: answer(handler, said, length, bytes(sent))
    with pytest.raises(OSError, match=r"the server sent another|another file there"):
        source.read_at(1000, 100)
    source.close()


def test_what_passes_is_tried_again(server: Server) -> None:
    source = open_source(server.add("/a.iso", DATA))
    left = [503, 0]

    def fails_twice(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
        if not left:
            return False
        if code := left.pop():
            handler.plain(code)  # type: ignore[attr-defined]
        else:
            answer(handler, f"bytes {asked.start}-{(asked.stop or 0) - 1}/{len(DATA)}", 100, b"x")
            handler.close_connection = True
        return True

    server.rule = fails_twice
    assert source.read_at(1000, 100) == DATA[1000:1100]
    assert not left
    source.close()


def test_a_stalled_server_is_an_error_in_time_said_once_and_recovers(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "isomount")
    source = objects.ObjectSource(server.add("/a.iso", DATA), QUICK)

    def half(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
        answer(handler, f"bytes 1000-1099/{len(DATA)}", 100, b"x" * 50)
        server.stall()
        return True

    server.rule = half
    began = time.monotonic()
    with pytest.raises(OSError, match="does not answer in time"):
        source.read_at(1000, 100)
    assert 0.5 < time.monotonic() - began < 3
    asked, began = len(server.asked), time.monotonic()
    for _ in range(20):  # nobody waits again for what has just failed
        with pytest.raises(OSError, match="does not answer in time"):
            source.read_at(1000, 100)
    assert time.monotonic() - began < 0.15
    assert len(server.asked) == asked
    server.rule = lambda *_: False
    time.sleep(0.25)
    assert source.read_at(1000, 100) == DATA[1000:1100]
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "cannot be read for now: the server does not answer in time",
        "can be read again",
    ]
    source.close()


@pytest.mark.parametrize("tags", [('"one"', '"two"'), ('W/"one"', 'W/"two"'), (None, '"new"')])
def test_a_changed_image_is_never_mixed_with_the_old(
    server: Server, tags: tuple[str | None, str], caplog: pytest.LogCaptureFixture
) -> None:
    source = open_source(server.add("/a.iso", DATA, tags[0]))
    source.read_at(0, BLOCK)
    server.add("/a.iso", bytes(len(DATA)), tags[1])
    for _ in range(2):
        with pytest.raises(OSError, match="is another file there by now"):
            source.read_at(BLOCK, 100)
    server.add("/a.iso", DATA, tags[0])  # a server that goes to and fro is not trusted again
    with pytest.raises(OSError, match="is another file there by now"):
        source.read_at(BLOCK, 100)
    assert len(caplog.records) == 1
    source.close()


def test_stalled_readers_hold_up_nobody_else(server: Server) -> None:
    source = objects.ObjectSource(server.add("/a.iso", DATA), QUICK)

    def stall(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
        if asked.start == 5000:
            server.stall()
        return asked.start == 5000

    server.rule = stall

    def read() -> None:
        with pytest.raises(OSError, match="in time"):
            source.read_at(5000, 100)

    readers = [threading.Thread(target=read) for _ in range(16)]
    for reader in readers:
        reader.start()
    began = time.monotonic()
    assert source.read_at(9000, 100) == DATA[9000:9100]
    assert time.monotonic() - began < 0.25
    for reader in readers:
        reader.join()
    source.close()


def test_redirects_lead_on(server: Server) -> None:
    where = server.add("/b.iso", DATA)

    def moved(handler: BaseHTTPRequestHandler, asked: Asked) -> bool:
        if asked.target == "/a.iso":
            handler.plain(302, Location=where)  # type: ignore[attr-defined]
        return asked.target == "/a.iso"

    server.rule = moved
    source = open_source(f"{server.url}/a.iso")
    assert source.read_at(10, 10) == DATA[10:20]
    source.close()


def test_closed(server: Server) -> None:
    source = open_source(server.add("/a.iso", DATA))
    source.close()
    with pytest.raises(ValueError, match="is closed"):
        source.read_at(BLOCK, 10)


@pytest.mark.parametrize(
    ("address", "package"), [("https://e.org/x", "remote"), ("ssh://e.org/x", "ssh")]
)
def test_a_missing_package_is_named(
    address: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("obstore", "obstore.store", "sshfs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImageUnreadableError) as caught:
        isomount.open(address)
    assert f"pip install 'isomount[{package}]'" in str(caught.value)
    assert caught.value.exit_code == 11


def test_a_proxy_of_the_environment_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("/a.iso", DATA)
    monkeypatch.setenv("http_proxy", server.url)
    open_source("http://nowhere.example/a.iso").close()
    assert server.asked[0].target == "http://nowhere.example/a.iso"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("d e/a.iso", "/bucket/d%20e/a.iso"),
        ("d%20e/ä+b&?#'~*.iso", "/bucket/d%2520e/%C3%A4%2Bb%26%3F%23%27~%2A.iso"),
    ],
)
def test_an_object_of_s3(
    server: Server, name: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(asked, DATA)
    monkeypatch.setenv("AWS_ENDPOINT", server.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "word")
    source = open_source(f"s3://bucket/{name}")
    assert source.read_at(BLOCK, 100) == DATA[BLOCK : BLOCK + 100]
    assert source.name == f"s3://bucket/{name}"
    assert server.asked[-1].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=me/")
    source.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the certificate of an authority (ca.pem), and one of this machine by it."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    place = tmp_path_factory.mktemp("tls")
    key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    (place / "more").write_text("subjectAltName=IP:127.0.0.1\n")
    for words in (
        f"{key} -x509 -keyout ca.key -out ca.pem -days 2 -subj /CN=ours",
        f"{key} -keyout key.pem -out request -subj /CN=here",
        "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile more "
        "-out chain.pem",
    ):
        subprocess.run(["openssl", *words.split()], cwd=place, check=True, capture_output=True)
    return place


def test_https_with_an_authority_of_ones_own(
    server: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "chain.pem", authority / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = server.add("/a.iso", DATA).replace("http:", "https:")
    with pytest.raises(ImageUnreadableError, match=r"certificate is not to be trusted.*SSL_CERT"):
        open_source(address)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    source = open_source(address)
    assert source.read_at(5, 5) == DATA[5:10]
    source.close()
