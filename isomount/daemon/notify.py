"""Telling the service manager that started us how it goes: sd_notify(3), in a datagram."""

import contextlib
import os
import socket

_ADDRESS = "NOTIFY_SOCKET"


def notify(*assignments: str) -> bool:
    r"""Send ``assignments`` ("READY=1", "STATUS=...") if a service manager listens.

    Returns whether it was sent. A manager that has gone away is no reason to stop serving.
    """
    address = os.environ.get(_ADDRESS, "")
    if not address.startswith(("/", "@")):
        return False  # none, or one of a virtual machine's: no process of ours talks to those
    message = "\n".join(each.replace("\n", " ") for each in assignments)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        with contextlib.suppress(OSError):
            # "@" stands for the NUL byte of an address outside the file system.
            where = os.fsencode(address)
            sender.connect(b"\0" + where[1:] if address.startswith("@") else where)
            sender.send(message.encode("utf-8", "backslashreplace"))
            return True
    return False


def forget_manager() -> None:
    """What a daemon in the background does is no news of the service that happened to start it."""
    os.environ.pop(_ADDRESS, None)
