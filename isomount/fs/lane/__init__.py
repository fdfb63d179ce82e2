"""The fast lane: the frequent requests, read from the device and answered without pyfuse3.

An optional layer. isomount.fs.answers defines what a request means, for both ways.
"""
