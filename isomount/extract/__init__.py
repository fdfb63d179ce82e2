"""Extracting an image into a directory, without ever writing outside it."""

from isomount.extract.extractor import Extractor, Report, Totals
from isomount.extract.place import Place

__all__ = ["Extractor", "Place", "Report", "Totals"]
