"""Words for people, whatever the names in them hold."""

import os

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


def one_line(text: str) -> str:
    """``text`` as one printable line: no line ends, no terminal controls, no undecodable bytes."""
    decoded = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def readable_size(size: int) -> str:
    """A size in a suitable unit, such as "512 bytes" or "1.5 MB"; units are powers of 1000."""
    number = float(size)
    for unit in _UNITS:
        if number < 999.5 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{size} bytes" if unit == "bytes" else f"{number:.3g} {unit}"
