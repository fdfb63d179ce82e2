"""What people see: output, one-line messages, listings and progress."""
