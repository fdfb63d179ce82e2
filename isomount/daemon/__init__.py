"""A running mount: the fork and its readiness pipe, signals, the end.

Only ``life`` and ``idle`` import pyfuse3 and trio, and they are imported after the fork.
"""
