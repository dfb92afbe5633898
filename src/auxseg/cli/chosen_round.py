"""The option `--round` of commands that use a finished round: a name such as r1, or `best`, the last good round."""

import argparse

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.errors import DataError, ParamsError
from auxseg.guard.record import BEST, judged_rounds, last_judgement
from auxseg.params.dag import read_params, require_round


def add_round(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option `--round` with default `best`; `what` is the beginning of its help text."""
    parser.add_argument("--round", default=BEST, metavar="rN", help=f"{what}; default: {BEST}, the last good round")


def choose_round(name: str) -> Round:
    """Return the round of this name. For `best`, print which round it is and why.

    Raises:
        ParamsError: there is no such round.
        DataError: a judgement is damaged.
    """
    chosen, why = _resolve(name)
    if why:
        print(f"round {chosen}: {why}")
    return chosen


def choose_network(name: str) -> Round:
    """Return the round of this name, as `choose_round` does, if it has a network.

    Raises:
        ParamsError: there is no such round, or it is r0, the initial labels, which have no network.
        DataError: `best` is asked for, and no round is good.
    """
    trainings = list(read_params()["rounds"])
    if name not in (BEST, *trainings):
        raise ParamsError(f"--round {name}: no such training; choose one of {', '.join(trainings)}, or {BEST}")
    chosen, why = _resolve(name)
    if chosen.is_initial:
        raise DataError(
            "the guard found no round better than the initial labels, which have no network; "
            f"--round {trainings[0]} takes that network anyway"
        )
    if why:
        print(f"round {chosen}: {why}")
    return chosen


def _resolve(name: str) -> tuple[Round, str]:
    """Return the round, and for `best` one line that says why it is this one."""
    if name != BEST:
        require_round(name, also=f", or {BEST} (the last good round)")
        return Round.parse(name), ""
    store, rounds = Store(), [Round.parse(one) for one in read_params()["label_rounds"]]
    last = rounds[-1]
    if not judged_rounds(store, rounds):
        # results of a version without the guard
        why = f"the last one; {store.judgements} has no judgements, so whether an earlier one is better is not known"
        return last, why
    judgement = last_judgement(store, rounds)
    judged, best = Round.parse(judgement.round), Round.parse(judgement.best)
    unfinished = f"; {last} is not finished" if judged != last else ""
    if best == judged:
        good = "the guard found it good" if not judged.is_initial else "the initial labels"
        return best, (
            f"the last one, and {good}" if judged == last else f"the last finished one, and {good}"
        ) + unfinished
    reason = judgement.reasons[0].rstrip(".") if judgement.reasons else "see `auxseg table`"
    return best, f"the guard found {judged} worse: {reason}; --round {judged} takes it anyway{unfinished}"
