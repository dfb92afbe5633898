"""AuxSegNet and AuxSegNet+: weakly supervised semantic segmentation as one reproducible pipeline."""
