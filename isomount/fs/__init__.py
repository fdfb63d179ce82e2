"""The FUSE side: a protocol adapter and nothing else."""

from isomount.fs.frequent import Frequent
from isomount.fs.operations import Operations
from isomount.fs.use import Use

__all__ = ["Frequent", "Operations", "Use"]
