"""The fast lane: the frequent requests, read and answered without pyfuse3."""
