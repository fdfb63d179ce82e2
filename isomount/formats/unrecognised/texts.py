"""Text where an image was expected: pages of the web and what servers say instead."""

import re

from isomount.blocks import Reader

_LOOKED_AT = 4096
_SHOWN_AT_MOST = 60
_AGAIN = "it was saved instead of the image: download that again"
_PAGE = re.compile(r"<(!doctype html|html|head|title|script|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<\0]*)", re.IGNORECASE)
_XML_REASON = re.compile(r"<(?:code|message|error)>([^<\0]+)", re.IGNORECASE)
_JSON = re.compile(r'[{\[]\s*(["{\[\]}]|\d)')
_JSON_REASON = re.compile(r'"(?:message|error|detail|title)"\s*:\s*"([^"]*)"', re.IGNORECASE)
_POINTERS = (
    (
        "version https://git-lfs.github.com/spec/",
        "is a pointer of Git LFS, not the file itself; fetch that with: git lfs pull",
    ),
    ("# JiGsaw Download", "is a Jigdo recipe; it makes the image with: jigdo-lite {name}"),
    ("zsync: ", "is a zsync recipe; it makes the image with: zsync {name}"),
)


def text(reader: Reader) -> str | None:
    """What kind of text it is; None for what is no text."""
    head = reader.read(0, min(_LOOKED_AT, reader.size))
    if head.startswith(b"d") and re.search(rb"(8:announce|4:info)[\dd]", head):
        return "is a torrent, not what it leads to; download that with a BitTorrent program"
    said = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if not said or not (said[0].isprintable() and said[0] != "\ufffd"):
        return None
    return _pointer(said) or _page(said) or _message(said) or _other(head, said)


def _pointer(said: str) -> str | None:
    return next((words for start, words in _POINTERS if said.startswith(start)), None)


def _page(said: str) -> str | None:
    found = _PAGE.search(said[:1024])
    if not said.startswith("<") or found is None:
        return None
    return f"is a page of the web{_quoted(_TITLE.search(said))}; {_AGAIN}"


def _message(said: str) -> str | None:
    """What a server says in XML or JSON."""
    if said.startswith(("<?xml", "<Error")):
        return f"is an XML document{_quoted(_XML_REASON.search(said))}; {_AGAIN}"
    if _JSON.match(said):
        return f"is a JSON document{_quoted(_JSON_REASON.search(said))}; {_AGAIN}"
    return None


def _other(head: bytes, said: str) -> str | None:
    """Any text at all: nothing but characters as far as it was looked at."""
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head) or "\ufffd" in said[:-1]:
        return None
    line = said.splitlines()[0]
    return f"is not a disc image but text ({_shortened(line)})"


def _quoted(found: re.Match[str] | None) -> str:
    words = found[1].strip() if found else ""
    return f" ({_shortened(words)})" if words else ""


def _shortened(words: str) -> str:
    words = " ".join(words.split()).replace("{name}", "")
    return f'"{words[:_SHOWN_AT_MOST]}..."' if len(words) > _SHOWN_AT_MOST else f'"{words}"'
