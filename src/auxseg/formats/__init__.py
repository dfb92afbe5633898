"""Labels and predictions in the formats of other tools; one writer per module."""
