"""The reviewers' verdicts, and how they change the use of a round's labels in the next training (docs/review.md)."""
