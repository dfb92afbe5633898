"""What a stage of dvc.yaml is and may touch: declaration, instances, code fingerprints, and how its script runs."""
