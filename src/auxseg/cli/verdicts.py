"""What the actions of `auxseg verdicts` have in common: the table, hashes of the labels, and how a row is shown."""

from collections.abc import Iterable
from typing import NamedTuple

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.errors import cut, printable
from auxseg.params.dag import read_params
from auxseg.review.verdicts import Verdict, conflicts, label_hashes, latest

TABLE = Store().verdicts


class Judged(NamedTuple):
    """The latest verdicts on one round. If its labels are missing here, `hashes` is None, and all count as holding."""

    holding: list[Verdict]
    stale: list[Verdict]
    hashes: dict[str, str] | None


def judged(verdicts: Iterable[Verdict], name: str) -> Judged:
    """Divide each reviewer's latest verdict on each image of round `name`."""
    hashes = hashes_of(name)
    own = latest((verdict for verdict in verdicts if verdict.round == name), hashes or {})
    stale = [] if hashes is None else [verdict for verdict in own if verdict.is_stale(hashes)]
    return Judged([verdict for verdict in own if hashes is None or not verdict.is_stale(hashes)], stale, hashes)


def hashes_of(name: str) -> dict[str, str] | None:
    """Return image id -> SHA-256 of its label in round `name`, or None if labels of the round are missing here."""
    archives = [Store().labels(Round.parse(name), shard) for shard in read_params()["shards"]]
    return label_hashes(archives) if all(path.exists() for path in archives) else None


def print_conflicts(verdicts: Iterable[Verdict]) -> None:
    """Print one line for every image that reviewers disagree on."""
    for group in conflicts(verdicts):
        print(f"disagreement: {'; '.join(map(short, group))}; it counts as rejected, because one of them rejects it")


def short(verdict: Verdict) -> str:
    """Return a verdict as text: round, image, reviewer, verdict and date."""
    reviewer = cut(printable(verdict.reviewer)) or "nobody"
    return f"{verdict.round} {cut(verdict.image_id)}: {reviewer} {verdict.verdict} {verdict.date}"
