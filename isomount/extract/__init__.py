"""Copying an image's tree into a folder, which nothing that is written can leave."""

from isomount.extract.extractor import Extractor, Report, Totals
from isomount.extract.place import Place, PlaceError
from isomount.extract.problems import ExtractError, Problems

__all__ = ["ExtractError", "Extractor", "Place", "PlaceError", "Problems", "Report", "Totals"]
