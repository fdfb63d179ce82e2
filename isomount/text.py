"""Words for people, whatever the names in them hold."""

import os


def one_line(text: str) -> str:
    """``text`` as one printable line: no line ends, no terminal controls, no undecodable bytes."""
    decoded = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)
