"""Images that are far away: only the ranges that are asked for travel."""

from isomount.sources.remote.open import open_remote

__all__ = ["open_remote"]
