"""The labels of several rounds or revisions side by side: their difference, and a folder for FiftyOne."""
