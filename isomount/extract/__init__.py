"""Extracting an image into a directory, without ever writing outside it."""

from isomount.extract.extractor import Extractor, Modes, Report, Totals
from isomount.extract.place import Place, PlaceError
from isomount.extract.problems import ExtractError, Problems

__all__ = [
    "ExtractError",
    "Extractor",
    "Modes",
    "Place",
    "PlaceError",
    "Problems",
    "Report",
    "Totals",
]
