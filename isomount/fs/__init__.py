"""The FUSE side: what requests mean (answers), and two ways to receive and answer them.

``Operations`` answers through pyfuse3; ``lane`` answers the frequent requests directly.
"""

from isomount.fs.operations import Operations
from isomount.fs.policy import Policy
from isomount.fs.session import Session
from isomount.fs.use import Use

__all__ = ["Operations", "Policy", "Session", "Use"]
