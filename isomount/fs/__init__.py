"""The FUSE side: what requests mean (answers), and two ways to receive and answer them.

``operations`` answers through pyfuse3; ``lane`` answers the frequent requests directly. What they
share does not import pyfuse3.
"""

from isomount.fs.policy import Policy
from isomount.fs.session import Session
from isomount.fs.use import Use

__all__ = ["Policy", "Session", "Use"]
