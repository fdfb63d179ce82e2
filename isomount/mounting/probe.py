"""Asking a directory for a sign of life without being caught by it."""

import errno
import os
import select
import signal

# A mount that has not answered a stat by then is taken for hung, in seconds.
PATIENCE = 5.0


def stat_errno(path: str, patience: float = PATIENCE) -> int | None:
    """The errno of ``stat(path)``: 0 when it works, None when there is no answer in time.

    A file system that does not answer stops whoever asks and cannot be interrupted by a timeout,
    so a child process asks.
    """
    child = os.fork()
    if child == 0:
        os._exit(_ask(path))
    answered = _ends_within(child, patience)
    if not answered:
        os.kill(child, signal.SIGKILL)
        # Not waited for: it may stay stuck in the kernel. Once this process ends, init reaps it.
        return None
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _ask(path: str) -> int:
    try:
        os.stat(path)  # may be answered from the kernel's cache, for a dead mount too
        _ask_the_file_system(path)
    except OSError as error:
        return error.errno or 255
    except BaseException:  # a forked child: whatever it is, the answer is its exit code
        return 255
    return 0


def _ask_the_file_system(path: str) -> None:
    try:
        os.statvfs(path)
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            raise
        # Only a sign of life was asked for, and this is one.


def _ends_within(child: int, patience: float) -> bool:
    handle = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(patience * 1000))
    finally:
        os.close(handle)
