"""Placeholders in the paths of the origins; test_report.py compares the origins with dvc.yaml."""

from pathlib import Path

from auxseg.artifacts.store import Store
from auxseg.audit.provenance import PlaceholderRound


def test_a_placeholder_is_only_where_the_round_is():
    store, found = Store(Path("r0")), PlaceholderRound(0, "<round>")
    assert store.labels(found, "r0") == Path("r0/data/labels/<round>/r0.zip")
    assert store.uses(found) == Path("r0/data/review/<round>.csv")
