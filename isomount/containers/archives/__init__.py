"""Files that hold several files: zip, tar, 7z, rar, and pieces of one file."""
