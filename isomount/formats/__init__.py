"""Disc formats: they parse bytes into nodes. They do no I/O of their own and keep no cache."""
