"""Copying an image's tree into a directory, which nothing that is written can leave."""

from isomount.extract.extractor import Extractor, Report, Totals
from isomount.extract.place import Place

__all__ = ["Extractor", "Place", "Report", "Totals"]
