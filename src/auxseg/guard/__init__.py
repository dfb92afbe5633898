"""The guard: find out without masks whether a round is worse than the best one before it."""
