"""`auxseg verdicts status`: which verdicts still apply, and what they do in the next run."""

import argparse

from auxseg.artifacts.rounds import Round
from auxseg.cli.next_step import require_run
from auxseg.cli.verdicts import TABLE, judged, print_conflicts, short
from auxseg.params.dag import read_params
from auxseg.review.verdicts import VERDICTS, read_verdicts


def run(arguments: argparse.Namespace) -> None:
    """Print the counts of every round, stale verdicts and disagreements."""
    rounds, holding = read_params()["label_rounds"], []
    if not TABLE.exists():
        require_run()
    verdicts = read_verdicts(TABLE)
    if not verdicts:
        require_run()
    print(f"{'round':<8}" + "".join(f"{name:>8}" for name in (*VERDICTS, "drops", "stale")))
    for name in sorted({verdict.round for verdict in verdicts} | set(rounds), key=Round.parse):
        found = judged(verdicts, name)
        holding += found.holding
        own = found.holding + found.stale
        counts = [sum(verdict.verdict == kind for verdict in own) for kind in VERDICTS]
        counts.append(sum(bool(verdict.drop_classes) for verdict in own))
        line = f"{name:<8}" + "".join(f"{count:>8}" for count in counts)
        if found.hashes is None:
            print(f"{line}{'?':>8}  no labels here")
            continue
        print(f"{line}{len(found.stale):>8}")
        for verdict in found.stale:
            why = "has changed since" if verdict.image_id in found.hashes else "is gone"
            print(f"  stale: {short(verdict)}; the label {why}")
    print_conflicts(holding)
