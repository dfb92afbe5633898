"""The gate between rounds: one line that `train` reads. A new figure of the guard therefore retrains nothing."""

from pathlib import Path

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.damage import damaged, read_whole
from auxseg.artifacts.rounds import Round
from auxseg.errors import DataError
from auxseg.guard.record import Judgement
from auxseg.params.guard import GuardParams

OPEN = "go on"


def write_gate(path: Path, judgement: Judgement, params: GuardParams) -> None:
    """Write whether the next round may be trained on the labels of this one.

    Poor initial labels cause a warning but never stop the run: there is nothing better, and a round may help.
    """
    if judgement.good or params.action == "warn" or judgement.is_initial:
        write_text(path, f"{OPEN}\n")
        return
    last = Round.parse(judgement.round).number
    write_text(
        path,
        f"{judgement.warning} No further round is trained (guard.action: stop). To end here with {judgement.best} as "
        f"the best round, run `auxseg rounds {last}` and the same command again for the table and the report. To "
        "continue anyway, set `guard.action: warn`.\n",
    )


def check_gate(path: Path) -> None:
    """Read the line.

    Raises:
        DataError: the gate is closed; the message says why and what to do. Or the file is missing or damaged.
    """
    with read_whole(path):
        text = path.read_text("utf-8").strip()
    if text != OPEN:
        raise DataError(text.splitlines()[0]) if text else damaged(path, "it is empty")
