"""Metrics: counts first, every figure from them."""
