"""What is generated from the parsers: the manual and completions of shells."""
