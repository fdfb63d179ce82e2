"""Writing images."""
