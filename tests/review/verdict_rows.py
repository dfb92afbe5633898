"""Verdicts made in one line."""

from auxseg.review.verdicts import Verdict

HASH = "0123456789abcdef" * 4
OTHER = "f" * 64


def verdict(image_id="a", label_hash=HASH, verdict="accept", reviewer="me", date="2026-01-01", **more):
    fields = {"round": "r0", "drop_classes": (), "note": "", **more}
    return Verdict(image_id=image_id, label_hash=label_hash, verdict=verdict, reviewer=reviewer, date=date, **fields)
