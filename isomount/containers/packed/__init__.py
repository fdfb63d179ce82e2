"""Files that hold one image in compressed or marked-up blocks."""
