"""Metrics: count first, then compute every figure from the counts."""
