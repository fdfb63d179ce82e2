"""Doing something in a process of its own, so that this one can fork later.

What is far away is read through libraries with threads, which a fork does not take along.
"""

import os
from collections.abc import Callable

from isomount.errors import IsomountError


def apart(work: Callable[[], str]) -> str:
    """What ``work`` returns. Raises IsomountError with its sentence and exit code if it does."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os._exit(_reported(work, writer))
    os.close(writer)
    try:
        with open(reader, "rb") as pipe:
            said = pipe.read().decode("utf-8", "surrogateescape")
    finally:
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        error = IsomountError(said or f"a process that looked at the image ended with {code}")
        error.exit_code = max(1, code)
        raise error
    return said


def _reported(work: Callable[[], str], writer: int) -> int:
    """Run the child. No exception may escape it."""
    code = 0
    try:
        said = work()
    except IsomountError as error:
        said, code = str(error), error.exit_code
    except BaseException as error:
        said, code = f"{type(error).__name__}: {error}", 1
    with open(writer, "wb") as pipe:
        pipe.write(said.encode("utf-8", "surrogateescape"))
    return code
