"""Mounting, unmounting, and what is mounted."""
