"""One module for each verb: `run(words) -> exit code` and `parser() -> Parser`."""
