"""The reviewers' verdicts, and what they leave of a round's labels for the next training (docs/review.md)."""
