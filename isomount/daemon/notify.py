"""Status messages to the service manager, in the protocol of sd_notify(3)."""

import contextlib
import os
import socket

_ADDRESS = "NOTIFY_SOCKET"


def notify(*assignments: str) -> bool:
    r"""Send ``assignments`` ("READY=1", "STATUS=...") if a service manager listens.

    Returns whether it was sent. Errors are ignored: serving continues without a service manager.
    """
    address = os.environ.get(_ADDRESS, "")
    if not address.startswith(("/", "@")):
        return False  # not set, or an AF_VSOCK address, which is for virtual machines only
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
    """Stop notifying: a background daemon is not the main process of the service it started in."""
    os.environ.pop(_ADDRESS, None)
