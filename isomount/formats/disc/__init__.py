"""Structures of a disc outside its file systems: sessions, boot catalog, partition tables."""
