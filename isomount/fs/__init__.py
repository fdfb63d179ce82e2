"""The FUSE side: what requests mean (answers), and two ways to hear and answer them.

``Operations`` answers by way of pyfuse3; ``lane`` answers the frequent ones directly.
"""

from isomount.fs.operations import Operations
from isomount.fs.policy import Policy
from isomount.fs.session import Session
from isomount.fs.use import Use

__all__ = ["Operations", "Policy", "Session", "Use"]
