"""Servers of images for tests: on loopback, in this process."""
