"""Desktop integration: desktop entries, caches, file managers and notifications."""
