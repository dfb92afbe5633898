"""Placeholders in the paths of the origins, and what parameters change; test_report.py compares them with dvc.yaml."""

from pathlib import Path

import pytest

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.store import Store
from auxseg.audit.provenance import ORIGINS, PlaceholderRound, _of_these_parameters, provenance


def test_a_placeholder_is_only_where_the_round_is():
    store, found = Store(Path("r0")), PlaceholderRound(0, "<round>")
    assert store.labels(found, "r0") == Path("r0/data/labels/<round>/r0.zip")
    assert store.uses(found) == Path("r0/data/review/<round>.csv")


@pytest.mark.parametrize(
    ("shares", "cam", "saliency"),
    [
        ({}, "refined CAM", "refined saliency"),
        (
            {"initial_share": 0.25, "prediction_share": 0.5},
            "refined CAM, with a share of 0.25 of the CAM of r0, with a share of 0.5 of the prediction",
            "refined saliency, with a share of 0.5 of the prediction",
        ),
    ],
)
def test_the_page_says_what_was_mixed_into_refined_maps(shares, cam, saliency):
    params = {"cam": {"provider": "classifier"}, "propagate": shares}
    found = [_of_these_parameters(origin, params) for origin in ORIGINS]
    assert [origin.title for origin in found if origin.stage == "propagate"][:2] == [cam, saliency]
    assert [origin.title for origin in found if origin.stage != "propagate"] == [
        origin.title for origin in ORIGINS if origin.stage != "propagate"
    ]


@pytest.mark.parametrize(("provider", "own"), [("classifier", True), ("npy", False)])
def test_cams_of_another_method_come_from_no_network_of_ours(work, provider, own):
    origins = provenance(Store(work), [R0], {"cam": {"provider": provider}})["origins"]
    assert {origin["stage"]: origin["weights"] for origin in origins if origin["artifact"] == "cam"} == {
        "cam": own,
        "propagate": True,
    }
