"""Structures of a disc beside its file systems: sessions, boot catalog, partition tables."""
