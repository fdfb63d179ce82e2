"""An OpenSSH server of a test's own: on loopback, for the user who runs the test."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host
AuthorizedKeysFile {home}/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""
_CLIENT = """
Host far
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {home}/key
  UserKnownHostsFile {home}/known
"""


def program() -> str | None:
    """The path of sshd, which has to be run by its whole path; None if it is not installed."""
    return shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextmanager
def serving(home: Path) -> Iterator[None]:
    """A server that ``home``, as the home of who asks, calls "far"."""
    for name in ("host", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / name], check=True
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = pwd.getpwuid(os.geteuid()).pw_name
    host_key = (home / "host.pub").read_text()
    (home / "known").write_text(f"[127.0.0.1]:{port} {host_key}")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "config").write_text(_CLIENT.format(home=home, port=port, user=user))
    (home / "sshd").write_text(_CONFIG.format(home=home, port=port))
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where it goes before somebody has logged in
    sshd = subprocess.Popen(
        [program() or "sshd", "-D", "-e", "-f", home / "sshd"], stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield
    finally:
        sshd.terminate()
        sshd.wait()


def _await(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until, "sshd does not listen"
            time.sleep(0.02)
