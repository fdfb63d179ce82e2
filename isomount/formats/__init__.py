"""Formats: bytes in, nodes out. No I/O of their own, no cache, nothing read unasked."""
