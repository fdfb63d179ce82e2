"""Generated documentation: the manual page and shell completions."""
