"""The FUSE side: a protocol adapter and nothing else."""

from isomount.fs.lane.frequent import Frequent
from isomount.fs.operations import Operations
from isomount.fs.use import Use

__all__ = ["Frequent", "Operations", "Use"]
