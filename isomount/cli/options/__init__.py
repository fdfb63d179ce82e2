"""What may stand on the command line: flags and the options of `-o`."""
