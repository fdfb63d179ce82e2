"""Streams that one image was compressed into: gzip, bzip2, xz, zstd, lz4."""
