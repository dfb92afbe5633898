"""Tests of auxseg.metrics."""
