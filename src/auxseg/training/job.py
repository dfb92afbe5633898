"""The training of one stage: as long as its parameters say, resumed where a killed run stopped, saved as outputs."""

import logging
from collections.abc import Sequence
from importlib.metadata import version

import torch
from torch import nn

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tables import write_rows
from auxseg.models.precision import choose_precision
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.runtime import PRECISIONS, RuntimeParams
from auxseg.params.training import TrainingParams
from auxseg.training.checkpoint import CheckpointFile, RunningStage
from auxseg.training.descent import Step
from auxseg.training.distributed import Team
from auxseg.training.length import training_length
from auxseg.training.loop import fit
from auxseg.training.samples import TrainingSamples

PACKAGES = ("numpy", "timm", "torch")
"""The packages that decide a training's result; their versions are stored with the weights."""


def precision_of_run(
    stage: RunningStage, runtime: RuntimeParams, backbone: BackboneParams, device: torch.device
) -> RuntimeParams:
    """Return `runtime` with a precision in place of `auto`, and let this process compute with it.

    A killed training resumes with the precision that it began with, even on a machine where another would be chosen.
    """
    begun = CheckpointFile.of(stage, device).begun_with if runtime.precision == "auto" else None
    if begun in PRECISIONS:
        logging.info("runtime.precision: the training that is resumed began with %s", begun)
        runtime = runtime.model_copy(update={"precision": begun})
    return choose_precision(runtime, backbone, device)


def train_and_save(
    stage: RunningStage,
    network: nn.Module,
    step: Step,
    samples: TrainingSamples,
    params: TrainingParams,
    team: Team,
    *,
    round_: Round,
    classes: Sequence[str],
    runtime: RuntimeParams,
) -> CheckpointFile | None:
    """Train `network` in place, and write weights and curve of a round.

    Args:
        stage: the stage that declares both outputs.
        network: the network to train.
        step: maps a part of a batch to its losses, see `auxseg.training.descent.Step`.
        samples: the training set.
        params: length, batch size, optimiser and so on.
        team: the processes that train together.
        round_: the round of both outputs.
        classes: class names without the background; they are stored with the weights.
        runtime: its precision is stored with the weights too, because the stages that load them use the same.

    Returns:
        The checkpoint, which the stage removes when all its outputs are written; None in every process but the leading
        one, which alone writes.

    Raises:
        AuxsegError: as `fit` and `training_length`.
    """
    length = training_length(params, len(samples))
    logging.info("%s", length.reason)
    checkpoint = CheckpointFile.of(stage, team.device, runtime.precision) if team.is_main else None
    curve = fit(network, step, samples, params, team, checkpoint)
    if checkpoint:
        notes = {
            "classes": list(classes),
            "length": length.reason,
            "precision": runtime.precision,
            "versions": {name: version(name) for name in PACKAGES},
        }
        save_weights(stage.outputs.weights(round_), network, notes)
        write_rows(stage.outputs.curve(round_), curve)
    return checkpoint
