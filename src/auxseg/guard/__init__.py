"""The guard: without masks, is a round better or worse than the best one before it?"""
