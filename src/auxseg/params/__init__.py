"""Typed parameters: one module per section of params.yaml, the only source of its names, ranges and defaults."""
