"""Terminal output: messages, listings and progress bars."""
