"""Integration into desktops: their entries, caches, file managers and notifications."""
