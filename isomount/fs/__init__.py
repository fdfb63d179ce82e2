"""The FUSE side: a protocol adapter and nothing else."""

from isomount.fs.operations import Operations

__all__ = ["Operations"]
