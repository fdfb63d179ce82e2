"""The FUSE side: a protocol adapter and nothing else."""

from isomount.fs.frequent import Frequent
from isomount.fs.guard import Use
from isomount.fs.operations import Operations

__all__ = ["Frequent", "Operations", "Use"]
