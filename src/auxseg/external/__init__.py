"""CAMs and labels of other methods as round 0, and our CAMs in the formats of these methods."""
