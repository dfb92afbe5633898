"""Networks: backbones, the classifier, affinities, AuxSegNet and AuxSegNet+."""
