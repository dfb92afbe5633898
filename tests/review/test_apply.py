"""What verdicts leave for training."""

import logging

import pytest
from verdict_rows import HASH, OTHER, verdict

from auxseg.artifacts.rounds import R0
from auxseg.errors import DataError
from auxseg.params.review import ReviewParams
from auxseg.review.apply import apply_verdicts, decide_uses
from auxseg.review.uses import TrainingUse, Use, read_uses, summarise, write_uses

LEAVE_OUT = ReviewParams(rejected="leave_out")
NAMES = ("background", "cat", "dog")


def test_without_verdicts_every_image_is_trained_on():
    assert decide_uses({"a": "1", "b": "2"}, [], LEAVE_OUT, NAMES) == ({"a": TrainingUse(), "b": TrainingUse()}, [])


@pytest.mark.parametrize("rejected", ["leave_out", "ignore"])
def test_what_verdicts_do(rejected):
    hashes = {"good": HASH, "bad": HASH, "perhaps": HASH, "unjudged": HASH, "changed": OTHER, "partly": HASH}
    verdicts = [
        verdict("good"),
        verdict("bad", verdict="reject", drop_classes=("cat",)),
        verdict("perhaps", verdict="unsure"),
        verdict("changed", verdict="reject", drop_classes=("cat",)),
        verdict("gone", verdict="reject"),
        verdict("partly", drop_classes=("cat",)),
    ]
    uses, stale = decide_uses(hashes, verdicts, ReviewParams(rejected=rejected), NAMES)
    assert uses == {
        "good": TrainingUse(),
        "bad": TrainingUse(Use(rejected)),
        "perhaps": TrainingUse(),
        "unjudged": TrainingUse(),
        "changed": TrainingUse(),
        "partly": TrainingUse(dropped=("cat",)),
    }
    assert [one.image_id for one in stale] == ["changed", "gone"]


def test_one_rejection_rejects_and_drops_add_up():
    hashes = {"a": HASH, "b": HASH, "c": HASH}
    verdicts = [
        verdict("a", verdict="reject", reviewer="ann", date="2026-01-01"),
        verdict("a", reviewer="bob", date="2026-02-02"),
        verdict("b", reviewer="ann", drop_classes=("dog",)),
        verdict("b", reviewer="bob", drop_classes=("cat",)),
    ]
    for order in (verdicts, verdicts[::-1]):
        uses, _ = decide_uses(hashes, order, LEAVE_OUT, NAMES)
        assert uses == {"a": TrainingUse(Use.LEAVE_OUT), "b": TrainingUse(dropped=("cat", "dog")), "c": TrainingUse()}


def test_a_fresh_verdict_counts_beside_a_stale_one():
    verdicts = [verdict("a", OTHER, "reject", "ann"), verdict("a", HASH, "accept", "bob", drop_classes=("cat",))]
    uses, stale = decide_uses({"a": HASH}, verdicts, LEAVE_OUT, NAMES)
    assert uses == {"a": TrainingUse(dropped=("cat",))}
    assert [one.reviewer for one in stale] == ["ann"]


def test_whoever_has_judged_the_label_has_nothing_to_judge_again():
    """The verdict on an earlier label, or on that of another project, stays in the table but is not listed as stale."""
    before, now = verdict("a", OTHER, "reject", date="2026-02-01"), verdict("a", HASH, "accept", date="2026-01-01")
    assert decide_uses({"a": HASH}, [before, now], LEAVE_OUT, NAMES) == ({"a": TrainingUse()}, [])
    back = {"a": TrainingUse(Use.LEAVE_OUT), "b": TrainingUse()}  # the earlier label is there again
    assert decide_uses({"a": OTHER, "b": HASH}, [before, now], LEAVE_OUT, NAMES) == (back, [])


def test_a_class_that_is_gone_matters_where_the_label_is_still_the_same():
    fresh, stale = verdict("a", drop_classes=("cow",)), verdict("b", OTHER, drop_classes=("cow",))
    uses, unapplied = decide_uses({"a": HASH, "b": HASH}, [stale], LEAVE_OUT, NAMES)
    assert (uses["b"], unapplied) == (TrainingUse(), [stale])
    with pytest.raises(
        DataError, match=r"^review/verdicts\.csv: r0 a: drop_classes contains 'cow', but the classes are .*remove it"
    ):
        decide_uses({"a": HASH, "b": HASH}, [fresh, stale], LEAVE_OUT, NAMES)


def test_nothing_left_to_train_on_is_rejected():
    with pytest.raises(DataError, match=r"^review/verdicts\.csv: rejects every label"):
        decide_uses({"a": HASH}, [verdict("a", verdict="reject")], LEAVE_OUT, NAMES)


def test_notes_reviewers_and_acceptances_leave_no_trace(tmp_path):
    # what training depends on: a new note must not train again
    hashes = {"a": HASH, "b": HASH}
    for name, verdicts in {
        "silent": [verdict("a", verdict="reject")],
        "talking": [verdict("a", verdict="reject", note="blurred", reviewer="x", date="2026-02-02"), verdict("b")],
    }.items():
        write_uses(tmp_path / name, decide_uses(hashes, verdicts, LEAVE_OUT, NAMES)[0])
    assert (tmp_path / "silent").read_bytes() == (tmp_path / "talking").read_bytes()


def test_uses_file(tmp_path):
    uses = {"b": TrainingUse(Use.LEAVE_OUT), "a": TrainingUse(dropped=("cat", "red fox")), "c": TrainingUse(Use.IGNORE)}
    write_uses(tmp_path / "r0.csv", uses)
    assert (tmp_path / "r0.csv").read_text() == (
        "image_id,use,drop_classes\na,train,cat;red fox\nb,leave_out,\nc,ignore,\n"
    )
    assert read_uses(tmp_path / "r0.csv") == uses


def test_summary():
    uses = iter([TrainingUse(), TrainingUse(Use.IGNORE), TrainingUse(dropped=("cat",))])
    assert summarise(uses) == "2 train, 0 leave_out, 1 ignore, 0 corrected, 1 with dropped classes"


def test_verdicts_do_not_apply_to_a_corrected_label():
    verdicts = [verdict("a", verdict="reject"), verdict("b", drop_classes=("cat",))]
    uses, stale = decide_uses({"a": HASH, "b": HASH}, verdicts, LEAVE_OUT, NAMES, {"a", "b"})
    assert uses == {"a": TrainingUse(Use.CORRECTED), "b": TrainingUse(Use.CORRECTED)} and stale == []


def test_nothing_to_reject_in_an_empty_round():
    assert decide_uses({}, [], LEAVE_OUT, NAMES) == ({}, [])


def test_corrected_labels_are_trained_on_where_all_are_rejected():
    verdicts = [verdict("a", verdict="reject"), verdict("b", verdict="reject")]
    uses, _ = decide_uses({"a": HASH, "b": HASH}, verdicts, LEAVE_OUT, NAMES, {"b"})
    assert uses == {"a": TrainingUse(Use.LEAVE_OUT), "b": TrainingUse(Use.CORRECTED)}


def test_the_verdicts_of_a_round_and_their_log(caplog):
    caplog.set_level(logging.INFO)
    verdicts = [
        verdict("a", reviewer="ann"),
        verdict("a", verdict="reject", reviewer="bob"),
        verdict("b", OTHER, "reject", reviewer=""),
        verdict("b", OTHER, "accept", reviewer="ann"),  # they disagree on a label that is gone
        verdict("b", verdict="reject", round="r1"),
        verdict("c", reviewer="ann"),
        verdict("c", verdict="reject", reviewer="bob"),  # they disagree on a label that a corrected one replaces
    ]
    uses, stale = apply_verdicts(R0, {"a": HASH, "b": HASH, "c": HASH}, verdicts, LEAVE_OUT, NAMES, {"c"})
    assert uses == {"a": TrainingUse(Use.LEAVE_OUT), "b": TrainingUse(), "c": TrainingUse(Use.CORRECTED)}
    assert stale == verdicts[2:4]
    why = "is stale (the label has changed since, or is gone) and not applied; judge it again"
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("WARNING", f"the verdict on b by an unnamed reviewer {why}"),
        ("WARNING", f"the verdict on b by ann {why}"),
        ("WARNING", "reviewers disagree on a: it counts as rejected, because one of them rejects it"),
        ("INFO", "r0: 1 train, 1 leave_out, 0 ignore, 1 corrected, 0 with dropped classes"),
    ]
