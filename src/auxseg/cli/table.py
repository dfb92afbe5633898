"""`auxseg table`: the figures of every round, what the guard found, and where report, labels and model are.

Without masks there is no mIoU; the table then shows figures of the labels that need no masks.
"""

import argparse
from collections.abc import Collection, Iterable

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv
from auxseg.cli.next_step import require_result
from auxseg.counts import counted
from auxseg.datasets.contradictions import Contradictions
from auxseg.guard.judge import slip_note
from auxseg.guard.record import Judgement, judged_rounds, read_judgements
from auxseg.metrics.absent import absent_notes
from auxseg.params.dag import read_params

_MODELS = {"model": "single scale", "model+ms": "multi-scale", "model+ms+crf": "multi-scale + CRF"}
_MARK = "  worse"
"""Ends every line of a round that the guard found worse than the best round before it."""


def run(arguments: argparse.Namespace) -> None:
    """Print the result table."""
    print_table()


def print_table() -> None:
    """Print the figures of every round, the guard's warnings, and where the results are.

    Raises:
        DataError: the stage `summary` has not run, or a file is damaged.
    """
    store, values = Store(), read_params()
    require_result(store.table("rounds.csv"))
    rows = read_csv(store.table("rounds.csv"))
    rounds = [Round.parse(name) for name in values["label_rounds"]]
    judgements = read_judgements(store, judged_rounds(store, rounds))  # a version without the guard made none
    worse = {one.round for one in judgements if not one.good and not one.is_initial}
    without_masks = store.table("labels_by_round.csv")
    if not rows and without_masks.exists():
        print(format_label_table(read_csv(without_masks), worse), end="")
    else:
        print(format_table(rows, worse), end="")
    if rows and (by_class := store.table("classes.csv")).exists():
        for note in absent_notes(rows, read_csv(by_class)):
            print(f"note: {note}")
    if rows and store.contradictions.exists() and (wrong := Contradictions.read(store.contradictions).message):
        print(f"\nwarning: {wrong}")
    corrections = store.table("corrections.csv")
    trained = values["rounds"].values()  # the last round's labels train no network
    corrected = [row for row in read_csv(corrections) if row["round"] in trained] if corrections.exists() else []
    if corrected:
        print("\n" + correction_line(corrected))
    if judgements:
        print("\n" + "\n".join(guard_lines(judgements)))
    lines = list(_where(store, rounds[-1], judgements))
    if lines:
        print("\n" + "\n".join(lines))


def format_table(rows: list[dict[str, str]], worse: Collection[str] = ()) -> str:
    """Return the rows (round, what, set, images; miou, precision, recall in per cent, or empty) as text.

    `worse` names the rounds whose lines are marked.
    """
    if not rows:
        return "no masks, no figures: look at the report\n"
    lines = [f"{'per cent':<46}{'images':>8}{'mIoU':>8}{'precision':>12}{'recall':>9}"]
    for row in rows:
        figures = (_figure(row[name]) for name in ("miou", "precision", "recall"))
        mark = _MARK if row["round"] in worse else ""
        # a table that an earlier version wrote has no number of images
        lines.append("{:<46}{:>8}{:>8}{:>12}{:>9}{}".format(_name(row), row.get("images", "-"), *figures, mark))
    return "\n".join(lines) + "\n"


def format_label_table(rows: list[dict[str, str]], worse: Collection[str] = ()) -> str:
    """Return the rows of labels_by_round.csv as text: figures of the labels that need no masks.

    `worse` names the rounds whose lines are marked.
    """
    lines = [
        "no masks, so no mIoU; what can be measured without them:",
        f"{'labels':<46}{'images':>8}{'ignored %':>12}{'regions per image':>20}",
    ]
    for row in rows:
        name, mark = _labels_name(row["round"]), _MARK if row["round"] in worse else ""
        figures = (row["images"], _figure(row["ignore_share"]), _figure(row["components"]))
        lines.append("{:<46}{:>8}{:>12}{:>20}{}".format(name, *figures, mark))
    return "\n".join(lines) + "\n"


def correction_line(rows: list[dict[str, str]]) -> str:
    """Return what the rows of corrections.csv, one or more, mean for the figures, as one line."""
    counts = ", ".join(
        f"{row['corrected']} of {counted(int(row['images']), 'label')} of {row['round']}" for row in rows
    )
    later = Round.parse(rows[0]["round"]).number + 1
    return (
        f"corrected by hand: {counts}; so from round {later} on, "
        "the figures no longer come from image-level labels alone"
    )


def guard_lines(judgements: Iterable[Judgement]) -> list[str]:
    """Return one warning for every round that the guard found worse, a note for every other one with figures that are
    worse than before, and the line that names the best round."""
    judgements = list(judgements)
    warnings = [f"warning: {one.warning}" for one in judgements if not one.good]
    notes = [f"note: {note}" for one in judgements if (note := slip_note(one))]
    best = judgements[-1].best
    return [*warnings, *notes, f"best round: {best}" + (", the initial labels" if Round.parse(best).is_initial else "")]


def _where(store: Store, last: Round, judgements: list[Judgement]) -> Iterable[str]:
    if (page := store.report / "index.html").exists():
        yield f"report  {page}"
    if (labels := store.label_rounds).is_dir():
        yield f"labels  {labels}/<round>/<shard>.zip  (loose PNGs: auxseg export labels --round rN --to FOLDER)"
    best = Round.parse(judgements[-1].best) if judgements else last
    weights = store.weights(best)
    if best.is_initial:
        yield "model   none: no round is better than the initial labels, which have no network"
    elif weights.exists():
        yield f"model   {weights}  (other images: auxseg predict --images IMAGES --to FOLDER)"


def _name(row: dict[str, str]) -> str:
    what = row["what"]
    if what in _MODELS:
        return f"model of {_round_name(row['round'])} ({row['set']}), {_MODELS[what]}"
    if what == "labels":
        return _labels_name(row["round"], row["set"])
    return f"  {what} ({row['set']})"


def _labels_name(name: str, part: str = "train") -> str:
    return f"{'initial labels' if Round.parse(name).is_initial else f'labels after {_round_name(name)}'} ({part})"


def _round_name(name: str) -> str:
    return f"round {Round.parse(name).number}"


def _figure(number: str) -> str:
    return f"{float(number):.1f}" if number else "-"
