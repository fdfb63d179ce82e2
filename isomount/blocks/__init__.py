"""Blocks: byte ranges of an image, cached and bounded, and the contents made of them."""

from isomount.blocks.cache import BlockCache, NotResidentError, Reader
from isomount.blocks.content import (
    BytesContent,
    Concatenation,
    Content,
    Extent,
    SingleExtent,
    ZeroContent,
    extent_content,
)

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
