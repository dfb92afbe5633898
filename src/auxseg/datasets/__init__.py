"""Data sets: readers, checks, the manifest and the embedded scenes."""
