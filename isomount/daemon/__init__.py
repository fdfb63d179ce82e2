"""A running mount: the mount point, the fork and its readiness pipe, signals, shutdown.

Only ``serve`` imports pyfuse3 and trio, and it is imported after the fork.
"""
