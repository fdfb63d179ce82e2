"""The fast lane: the frequent requests, read from the device and answered without pyfuse3.

An optional layer. What a request means is defined in isomount.fs.answers, for both.
"""

from isomount.fs.lane.gate import Gate
from isomount.fs.lane.handlers import Handlers

__all__ = ["Gate", "Handlers"]
