"""The training loop of `classify` and `train`: batches in, a trained network and a curve of losses out."""

import logging
import math
import time
from typing import NamedTuple

import torch
from torch import nn

from auxseg.errors import AuxsegError, shorten
from auxseg.models.folding import fold_batch_norms
from auxseg.parallel import track
from auxseg.params.training import TrainingParams
from auxseg.training.balance import describe, image_weights
from auxseg.training.checkpoint import CheckpointFile, Saver
from auxseg.training.descent import Descent, DivergedError, Step
from auxseg.training.distributed import Team
from auxseg.training.length import training_length
from auxseg.training.optimiser import build_optimiser, polynomial, set_batch_norm
from auxseg.training.samples import EpochOrder, TrainingSamples, loaded, make_loader
from auxseg.training.state import TrainingState

ROW_STEPS = 25
"""Minimum number of steps per row of the curve, for a training in steps."""

SHOWN = 16
"""Images that a message names."""

_CALMER = "lower optimiser.lr or set optimiser.clip_norm"


def fit(
    network: nn.Module,
    step: Step,
    samples: TrainingSamples,
    params: TrainingParams,
    team: Team,
    checkpoint: CheckpointFile | None = None,
) -> list[dict[str, float]]:
    """Train `network` in place for `params.epochs`, or for `params.steps` of the optimiser, and return its curve.

    The curve has one row per epoch: `epoch`, `lr` and the mean of every loss. For a training in steps, a row covers as
    many whole passes over the samples as ROW_STEPS steps need, and `epoch` is the number of passes at its end. (On 20
    images an epoch is two steps, and a row, a checkpoint and a line of the log for each would be noise.)

    A batch of `params.batch_size` is split into equal parts: one per process of the team, or `params.accumulate` of
    them per process, one after the other. With a `checkpoint` (of the leading process), a killed run resumes from it.

    Raises:
        AuxsegError: the loss or a weight is not finite; names the step and the images of its batch. The checkpoint
            stays as it was before that step.
        DataError: there are fewer images than parts of a batch.
        SystemExit: SIGTERM was received, and the checkpoint is written.
    """
    tags = [record.tags for record in samples.records]
    weights = image_weights(tags, params.balance)
    if weights:
        logging.info("%s.balance: %s: %s", params.key, params.balance, describe(tags, weights))
    order = EpochOrder(len(samples), params.batch_size, samples.seed, team.rank, team.size, params.accumulate, weights)
    length = training_length(params, len(samples))
    if not length.in_epochs:
        order.passes = math.ceil(ROW_STEPS / order.per_pass)
    plan = _Plan(length.steps, order.batches, order.per_pass, length.in_epochs)
    loader = make_loader(samples, order, team.device)
    network.to(team.device).to(memory_format=torch.channels_last).train()
    set_batch_norm(network, params.batch_norm)
    sgd = build_optimiser(network, params.optimiser)
    schedule = polynomial(sgd, plan.steps, params.optimiser.power, params.optimiser.warmup)
    torch.manual_seed(samples.seed + team.rank)  # dropout
    state = TrainingState(network, sgd, schedule)
    with Saver(state, team, checkpoint) as saver:
        descend = Descent(state, step, team, params.optimiser.clip_norm)
        fold_batch_norms(network)  # after batch norms that learn have been replaced by shared ones
        while state.epoch <= plan.rows:
            started, first = time.monotonic(), state.batch
            order.epoch, order.first, order.stop = state.epoch, first, plan.batches_of(state.epoch)
            batches = zip(*[loaded(loader)] * params.accumulate, strict=True)  # this process's parts of a batch
            label, remaining = plan.label(state.epoch), order.stop - first
            try:
                for parts in track(batches, label, remaining, unit="batch") if team.is_main else batches:
                    descend(parts)
                    saver.end_batch(descend.read_losses)
                descend.read_losses()
            except DivergedError as found:
                raise AuxsegError(_diverged(found, state, plan, order, samples, saver)) from None
            state.end_epoch(plan.epoch_at_end_of(state.epoch))
            loss = state.curve[-1]["loss"]
            saver.save()
            seconds = time.monotonic() - started
            logging.info(
                "%s: loss %.4f, %.1f s, %.1f images/s", label, loss, seconds, remaining * order.batch_size / seconds
            )
        if state.lost():  # a loss is computed before its step, so no loss shows the effect of the last step
            raise AuxsegError(_diverged(DivergedError(state.batch), state, plan, order, samples, saver))
    return state.curve


class _Plan(NamedTuple):
    """How a training is divided into rows of its curve."""

    steps: int
    """Total number of steps of the optimiser."""
    batches: int
    """Batches per row; the last row may have fewer."""
    batches_per_pass: int
    in_epochs: bool

    @property
    def rows(self) -> int:
        return math.ceil(self.steps / self.batches)

    def batches_of(self, row: int) -> int:
        return min(self.batches, self.steps - (row - 1) * self.batches)

    def epoch_at_end_of(self, row: int) -> float:
        passes = min(row * self.batches, self.steps) / self.batches_per_pass
        return int(passes) if passes.is_integer() else round(passes, 2)

    def label(self, row: int) -> str:
        done = min(row * self.batches, self.steps)
        return f"epoch {row}/{self.rows}" if self.in_epochs else f"step {done}/{self.steps}"


def _diverged(
    found: DivergedError, state: TrainingState, plan: _Plan, order: EpochOrder, samples: TrainingSamples, saver: Saver
) -> str:
    """Return what happened in the batch whose loss was `found`, or in the one before.

    A gradient that is not finite makes weights so in its step. The loss, which is computed before, shows it in the next
    step, which may be in the next epoch.
    """
    here, what = (state.epoch, found.batch), "the loss is not a finite number"
    shown = [here]
    if (lost := state.lost()) and here != (1, 0):
        before = (here[0], here[1] - 1) if here[1] else (here[0] - 1, plan.batches_of(here[0] - 1) - 1)
        if found.stepped:  # that step has spoilt the weights in any case
            shown, what = [before, here], f"{what}, or the gradient of the step before it was not"
        else:
            shown = [before]
            here, what = before, f"the gradient is not finite (it spoils {lost})"
    ids = []
    for row, batch in shown:
        order.epoch = row
        ids += [samples.records[position % len(samples)].id for position in order.positions(batch)]
    step = (here[0] - 1) * plan.batches + here[1] + 1
    kept = f"; {saver.kept} is kept" if saver.kept else ""
    return f"step {step}: {what}; images {shorten(ids, SHOWN)}: look at them and their labels, {_CALMER}{kept}"
