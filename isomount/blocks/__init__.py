"""Blocks: byte ranges of an image, cached and bounded, and the contents made of them."""

from isomount.blocks.aligned import AlignedBlocks
from isomount.blocks.cache import BlockCache
from isomount.blocks.coded import read_coded
from isomount.blocks.content import (
    BytesContent,
    Concatenation,
    Content,
    Extent,
    SingleExtent,
    ZeroContent,
    extent_content,
)
from isomount.blocks.reader import Coded, NotResidentError, Reader
from isomount.blocks.store import Store

__all__ = [
    "AlignedBlocks",
    "BlockCache",
    "BytesContent",
    "Coded",
    "Concatenation",
    "Content",
    "Extent",
    "NotResidentError",
    "Reader",
    "SingleExtent",
    "Store",
    "ZeroContent",
    "extent_content",
    "read_coded",
]
