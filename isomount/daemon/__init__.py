"""A running mount: the mount point, the fork and its readiness pipe, signals, the end.

Nothing here imports pyfuse3 or trio but ``serve``, which is imported after the fork.
"""
