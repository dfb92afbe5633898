"""The guard's judgement of figures that real runs left, sound and collapsed."""

import json

import pytest

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.errors import DataError
from auxseg.guard.figures import FIGURES
from auxseg.guard.gate import OPEN, check_gate, write_gate
from auxseg.guard.judge import LESS_IS_BETTER, MORE_IS_BETTER, RULES, judge, judge_start, slip_note, slipped
from auxseg.guard.record import Judgement, last_judgement, read_judgements
from auxseg.params.guard import GuardParams

START = {"background": 0.48, "ignored": 0.28, "without_background": 0.0, "all_ignored": 0.0, "lost": 0.0}
SOUND = {
    **START,
    "background": 0.38,
    "ignored": 0.36,
    "constant": 0.0,
    "unseen": 0.02,
    "confidence": 0.85,
    "tag_precision": 0.97,
    "loss": 1.5,
}

# data/guard of trainings that docs/experiments.md calls collapsed, made by
#   python benchmarks/tables.py table4/segmentation --base demo --seeds 0 --keep
#   python benchmarks/tables.py table4/cross-task --base scenes --seeds 1 --keep
# (without those rows in benchmarks/tables.csv). Their labels have these mIoU in r0 and r1:
COLLAPSES = {
    "54.1 to 15.4": (
        {
            "background": 0.574,
            "ignored": 0.265,
            "without_background": 0.0,
            "all_ignored": 0.0,
            "lost": 0.003,
            "constant": None,
            "unseen": None,
        },
        {
            "background": 0.417,
            "ignored": 0.547,
            "without_background": 0.0,
            "all_ignored": 0.0,
            "lost": 0.316,
            "constant": 0.253,
            "unseen": 0.467,
        },
        (
            "55 % of the pixels are ignored (26 % before)",
            "32 % of the image-level labels have no pixel in their label (0 % before)",
        ),
    ),
    "55.2 to 18.9": (
        {
            "background": 0.576,
            "ignored": 0.271,
            "without_background": 0.0,
            "all_ignored": 0.0,
            "lost": 0.005,
            "constant": None,
            "unseen": None,
        },
        {
            "background": 0.537,
            "ignored": 0.423,
            "without_background": 0.013,
            "all_ignored": 0.0,
            "lost": 0.466,
            "constant": 0.33,
            "unseen": 0.517,
        },
        (
            "47 % of the image-level labels have no pixel in their label (0 % before)",
            "52 % of the image-level labels are not in the network's prediction",
        ),
    ),
}


def test_sound_rounds_are_each_the_best():
    first = judge_start(START)
    second = judge("r1", SOUND, first)
    third = judge("r2", SOUND, second)
    assert first.good and second.good and third.good
    assert [one.best for one in (first, second, third)] == ["r0", "r1", "r2"]
    assert (second.reference, third.reference) == ("r0", "r1")
    assert third.warning == ""


def test_a_collapsed_round_names_what_happened_and_what_to_try():
    """The figures of the issue's 55 images after 21 steps: ignored 33 -> 77 %, background 46 -> 3 %."""
    start = judge_start({**START, "background": 0.46, "ignored": 0.33})
    found = judge("r1", {**SOUND, "background": 0.03, "ignored": 0.77, "without_background": 34 / 55}, start)
    assert not found.good and found.best == found.reference == "r0"
    assert found.reasons == (
        "77 % of the pixels are ignored (33 % before)",
        "3 % of the pixels are background (46 % before)",
        "62 % of the labels have no background pixel (0 % before)",
    )
    assert found.warning.startswith(
        "round 1 is worse than the initial labels: 77 % of the pixels are ignored (33 % before); "
    )
    assert "`train.steps: N`" in found.warning and "--round r0" in found.warning


@pytest.mark.parametrize("start, collapsed, reasons", COLLAPSES.values(), ids=COLLAPSES)
def test_collapsed_trainings_of_the_papers_tables_are_bad(start, collapsed, reasons):
    found = judge("r1", collapsed, judge_start(start))
    assert not found.good and found.best == "r0"
    assert found.reasons == reasons


def test_a_round_is_compared_with_the_best_and_not_with_a_bad_one():
    start = judge_start(START)
    bad = judge("r1", {**SOUND, "ignored": 0.9}, start)
    still_bad = judge("r2", {**SOUND, "ignored": 0.85}, bad)
    assert still_bad.reference == "r0" and not still_bad.good and still_bad.best == "r0"
    recovered = judge("r3", SOUND, still_bad)
    assert recovered.good and recovered.best == "r3" and recovered.reference == "r0"


def test_a_collapse_in_small_steps_is_seen():
    """No round is far worse than the one before it, and the third is far worse than the first."""
    judged = judge_start(START)
    for number, ignored in enumerate((0.45, 0.6), start=1):
        judged = judge(f"r{number}", {**SOUND, "ignored": ignored}, judged)
    assert not judged.good and judged.best == "r1" and judged.reasons[0].endswith("(28 % before)")


def test_labels_of_another_method_are_not_held_against_those_of_fusion():
    other = {**START, "ignored": 0.0, "background": 0.7}
    assert not judge("r1", SOUND, judge_start(other)).good
    start = judge_start({**other, "tag_precision": 0.9}, comparable=False)
    assert not judge("r1", {**SOUND, "tag_precision": 0.5}, start).good  # tags are the same, whoever made the labels
    first = judge("r1", SOUND, start)
    assert first.good and first.best == "r1"
    assert not judge("r1", {**SOUND, "constant": 0.9}, start).good  # the network's figures need no reference
    assert not judge("r2", {**SOUND, "ignored": 0.9}, first).good


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.figure)
def test_every_rule_can_fire_alone(rule):
    first = judge("r1", SOUND, judge_start(START))
    worst = 0.0 if rule.remains is not None else 2 * max(SOUND[rule.figure], 0.5)
    found = judge("r2", {**SOUND, rule.figure: worst}, first)
    assert len(found.reasons) == 1 and not found.good and found.best == "r1"


def test_the_initial_labels_may_be_poor():
    assert "Raise `labels.saliency_threshold`" in judge_start({**START, "without_background": 0.6}).warning
    found = judge_start({**START, "lost": 0.6})
    assert not found.good and found.best == "r0"
    assert found.warning.startswith("the initial labels look poor: 60 % of the image-level labels have no pixel")


def test_files(tmp_path):
    start = judge_start(START)
    bad, store = judge("r1", {**SOUND, "ignored": 0.9}, start), Store(tmp_path)
    for one in (start, bad):
        one.write(store.judgement(Round.parse(one.round)))
    assert read_judgements(store, Round.up_to(Round(1))) == [start, bad]
    assert last_judgement(store, Round.up_to(Round(2))) == bad and bad.best == "r0"


@pytest.mark.parametrize("content", [None, "", "[]", "{}", json.dumps({"reasons": [], "advice": []})])
def test_damaged_files(tmp_path, content):
    path = tmp_path / "r0.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"r0\.json: not readable .*; `dvc pull` it, or run `auxseg run`"):
        Judgement.read(path)


def test_the_gate_closes_for_a_bad_round_when_asked_to(tmp_path):
    start = judge_start(START)
    bad = judge("r1", {**SOUND, "ignored": 0.9}, start)
    gate = tmp_path / "gate.txt"
    for judgement, action in ((start, "stop"), (bad, "warn")):
        write_gate(gate, judgement, GuardParams(action=action))
        assert gate.read_text() == f"{OPEN}\n"
        check_gate(gate)
    write_gate(gate, bad, GuardParams(action="stop"))
    with pytest.raises(
        DataError, match=r"round 1 is worse than the initial labels: .*No further round is trained.*`auxseg rounds 1`"
    ) as one:
        check_gate(gate)
    assert "\n" not in str(one.value)


@pytest.mark.parametrize(
    ("figure", "now", "before", "mentioned"),
    [
        ("lost", 0.06, 0.04, True),
        ("lost", 0.045, 0.04, False),
        ("lost", 0.02, 0.04, False),
        ("confidence", 0.80, 0.85, True),
        ("confidence", 0.90, 0.85, False),
        ("tag_precision", 0.90, 0.95, True),
        ("val_tag_precision", 0.80, 0.85, True),
        ("val_tag_precision", 0.85, 0.80, False),
        ("disagreement", 0.5, None, False),
        ("components", 9.0, 2.0, False),
    ],
)
def test_every_figure_that_got_worse_is_mentioned(figure, now, before, mentioned):
    judgement = Judgement("r2", "r1", True, "r2", (), (), {figure: now}, {figure: before})
    assert bool(slipped(judgement)) == mentioned
    if mentioned:
        assert slipped(judgement) == [f"{figure} {100 * now:.0f} % ({100 * before:.0f} % before)"]


@pytest.mark.parametrize(("now", "shown"), [(2.0, ["loss 2 (1.5 before)"]), (1.51, []), (1.4, [])])
def test_the_loss_is_compared_in_proportion(now, shown):
    assert slipped(Judgement("r2", "r1", True, "r2", (), (), {"loss": now}, {"loss": 1.5})) == shown


def test_a_note_is_of_good_rounds():
    first = judge("r1", SOUND, judge_start(START))
    good = judge("r2", {**SOUND, "ignored": 0.38, "confidence": 0.8}, first)
    assert good.good
    assert slip_note(good) == (
        "round 2 is not clearly worse, but some figures are: ignored 38 % (28 % before); "
        "background 38 % (48 % before); confidence 80 % (85 % before)"
    )
    assert slip_note(judge("r2", {**SOUND, "ignored": 0.9}, first)) == ""  # a warning says what is worse
    assert slip_note(judge("r1", START, judge_start(START))) == ""


def test_every_figure_has_a_direction_or_none():
    """A figure that is added has to be put somewhere."""
    undirected = FIGURES.keys() - {*LESS_IS_BETTER, *MORE_IS_BETTER}
    assert undirected == {"components", "change", "entropy"}
    assert {rule.figure for rule in RULES} <= FIGURES.keys() - undirected
