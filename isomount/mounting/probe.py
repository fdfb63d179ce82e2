"""Checking whether a mount responds, without the risk of hanging."""

import errno
import os
import select
import signal

# A mount that does not answer a stat within this time counts as hung, in seconds.
PATIENCE = 5.0


def stat_errno(path: str, patience: float = PATIENCE) -> int | None:
    """The errno of ``stat(path)``: 0 if it succeeds, None if it times out.

    A system call on a hung file system cannot be interrupted, so a child process makes it.
    """
    # The child's end of the pipe is closed when it exits, whatever it exits for.
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(_ask(path))
    os.close(writer)
    answered = _closes_within(reader, patience)
    os.close(reader)
    if not answered:
        os.kill(child, signal.SIGKILL)
        # Not waited for, as it may be stuck in the kernel. init reaps it after this process.
        return None
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _ask(path: str) -> int:
    try:
        os.stat(path)  # the kernel may answer from its cache, even for a dead mount
        _ask_the_file_system(path)
    except OSError as error:
        return error.errno or 255
    except BaseException:  # a forked child must not return into its parent's code
        return 255
    return 0


def _ask_the_file_system(path: str) -> None:
    try:
        os.statvfs(path)
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            raise
        # The mount did answer.


def _closes_within(reader: int, patience: float) -> bool:
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    return bool(poll.poll(patience * 1000))
