"""Sources: random access to the bytes of an image."""

from isomount.sources.address import absolute, beside, file_name, is_remote, shown
from isomount.sources.base import EndLearnt, FileRange, Source, is_end_near, reads_at_once
from isomount.sources.keeping import USUAL, Keeping
from isomount.sources.later import LaterPart
from isomount.sources.local.file import LocalSource
from isomount.sources.open import open_source, refuse_what_is_no_path
from isomount.sources.stream import BinaryFile, FileObjectSource
from isomount.sources.window import Window

__all__ = [
    "USUAL",
    "BinaryFile",
    "EndLearnt",
    "FileObjectSource",
    "FileRange",
    "Keeping",
    "LaterPart",
    "LocalSource",
    "Source",
    "Window",
    "absolute",
    "beside",
    "file_name",
    "is_end_near",
    "is_remote",
    "open_source",
    "reads_at_once",
    "refuse_what_is_no_path",
    "shown",
]
