"""Reading and writing artifacts: atomic, deterministic, checksummed."""
