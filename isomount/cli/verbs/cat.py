"""``isomount cat IMAGE PATH...``: print files in an image."""

import errno
import os
from collections.abc import Iterator, Sequence

from isomount.cli.options.arguments import Parser
from isomount.cli.reading import (
    ANY_NUMBER,
    image_name,
    open_to_read,
    reading_parser,
    view_options,
)
from isomount.cli.terminal.listing import Failures
from isomount.cli.terminal.output import OutputError, emit, finish
from isomount.errors import DamagedDataError, IsomountError, UsageError
from isomount.tree import Node, Volume, resolve

_USAGE = "isomount cat IMAGE PATH... [-o OPTION[,OPTION...]]..."
_DESCRIPTION = (
    "Print the files PATH of an image on standard output, byte for byte, without mounting it."
)
_EXAMPLES = """examples:
  isomount cat debian.iso README.txt
  isomount cat debian.iso dists/stable/Release | grep ^Date
"""
_PIECE = 1 << 20


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, names = parser().parse(words, names_at_most=ANY_NUMBER)
    options = view_options(flags)
    name = image_name(names, "cat")
    if len(names) < 2:
        raise UsageError("name the file to print; see isomount cat --help")
    failures = Failures(name)
    with open_to_read(name, options) as image:
        for path in map(os.fsencode, names[1:]):
            try:
                node = resolve(image.volume, path)
                pieces = _pieces(image.volume, node)
                while piece := next(pieces, b""):
                    emit(piece)
            except (BrokenPipeError, OutputError):
                raise
            except (IsomountError, OSError) as error:
                failures.add(path, error)
    finish()
    return failures.exit_code


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    return reading_parser("cat", _DESCRIPTION, _EXAMPLES, _USAGE)


def _pieces(volume: Volume, node: Node) -> Iterator[bytes | bytearray]:
    """The content of a file. Raises DamagedDataError at the first byte that cannot be read."""
    if node.fault:
        raise DamagedDataError(node.fault)
    if node.is_directory:
        raise IsADirectoryError(errno.EISDIR, "is a folder; list it with: isomount ls")
    if node.content is None:
        raise OSError(errno.EINVAL, "is no regular file, so there is nothing to print")
    offset = 0
    while offset < node.content.size:
        piece = node.content.read(volume.blocks, offset, min(_PIECE, node.content.size - offset))
        if not piece:
            raise DamagedDataError(f"byte {offset} of the file is lost")
        yield piece
        offset += len(piece)
