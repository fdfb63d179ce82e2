"""What the kernel has mounted, and how something gets mounted and unmounted."""
