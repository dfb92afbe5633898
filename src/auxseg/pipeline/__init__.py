"""The stages of dvc.yaml: declared inputs and outputs, instances, code fingerprints, and how a stage script runs."""
