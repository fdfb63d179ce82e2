"""Discs by their tracks: sheets that describe them, and sectors stored with all their bytes."""
