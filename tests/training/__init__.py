"""Tests of auxseg.training."""
