"""Blocks: byte ranges of an image, cached and bounded, and the contents made of them."""

from isomount.blocks.cache import BlockCache
from isomount.blocks.content import (
    BytesContent,
    Concatenation,
    Content,
    Extent,
    SingleExtent,
    ZeroContent,
    extent_content,
)
from isomount.blocks.reader import NotResidentError, Reader

__all__ = [
    "BlockCache",
    "BytesContent",
    "Concatenation",
    "Content",
    "Extent",
    "NotResidentError",
    "Reader",
    "SingleExtent",
    "ZeroContent",
    "extent_content",
]
