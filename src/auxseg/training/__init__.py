"""Training: samples and augmentation, losses, optimiser, the loop."""
