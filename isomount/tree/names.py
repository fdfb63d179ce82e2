"""Names that cannot leave their directory, hide one another or be too long for the system."""

NAME_MAX = 255
_SLASH = ord("/")


def safe_name(name: bytes) -> bytes:
    """``name`` as a single path component: no "/" or NUL, not empty, not "." or "..", 255 bytes.

    What is cut is cut between characters of UTF-8.
    """
    if _SLASH in name or 0 in name:  # numbers: a tenth of the time that it takes with bytes
        name = name.replace(b"/", b"_").replace(b"\0", b"_")
    if name in (b"", b".", b".."):
        return b"_" * max(1, len(name))
    return name if len(name) <= NAME_MAX else shortened(name, NAME_MAX)


def shortened(name: bytes, length: int) -> bytes:
    """The first ``length`` bytes at most, without half a character at the end."""
    end = length
    # Only a valid sequence is kept whole: at most three continuation bytes are given up.
    while end > length - 4 and end > 0 and name[end] & 0xC0 == 0x80:
        end -= 1
    return name[:end] if name[end] & 0xC0 != 0x80 else name[:length]


def numbered_name(name: bytes, number: int) -> bytes:
    """Another name for a namesake: "~2" and so on before the ending, so that it still opens."""
    suffix = b"~%d" % number
    stem, dot, ending = name.rpartition(b".")
    if not stem or len(ending) > 16:
        stem, dot, ending = name, b"", b""
    room = NAME_MAX - len(suffix) - len(dot) - len(ending)
    return (shortened(stem, room) if len(stem) > room else stem) + suffix + dot + ending


def folded(name: bytes) -> bytes:
    """What names that ``check=relaxed`` treats as one have in common: ASCII case, final dots."""
    return name.lower().rstrip(b".")
