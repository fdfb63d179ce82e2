"""Packages that only images far away need."""

from importlib import import_module
from typing import Any

from isomount.errors import ImageUnreadableError


def package(module: str, extra: str, name: str) -> Any:
    """The module, for reading ``name``. Raises ImageUnreadableError if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImageUnreadableError(
            f"{name}: to read it from there, the Python package {module.partition('.')[0]} is "
            f"missing; install it with: pip install 'isomount[{extra}]'"
        ) from error
