"""Parsing the command line: flags, and the options of `-o`."""
