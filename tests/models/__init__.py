"""Tests of auxseg.models."""
