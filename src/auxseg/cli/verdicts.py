"""What the actions of `auxseg verdicts` have in common: the table, hashes of the labels, and how a row is shown."""

from collections.abc import Iterable
from pathlib import Path

from auxseg.params.dag import read_params
from auxseg.review.verdicts import Verdict, conflicts, label_hashes

TABLE = Path("review/verdicts.csv")
LABELS = Path("data/labels")


def hashes_of(name: str) -> dict[str, str] | None:
    """Return image id -> SHA-256 of its label in round `name`, or None if labels of the round are missing here."""
    archives = [LABELS / name / f"{shard}.zip" for shard in read_params()["shards"]]
    return label_hashes(archives) if all(path.exists() for path in archives) else None


def print_conflicts(verdicts: Iterable[Verdict]) -> None:
    """Print one line for every image that reviewers disagree on."""
    for group in conflicts(verdicts):
        print(f"disagreement: {'; '.join(map(short, group))}; one rejection rejects")


def short(verdict: Verdict) -> str:
    """Return a verdict as text: round, image, reviewer, verdict and date."""
    return f"{verdict.round} {verdict.image_id}: {verdict.reviewer or 'nobody'} {verdict.verdict} {verdict.date}"
