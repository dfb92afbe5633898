"""The loop that `classify` and `train` share: batches in, a trained network and a curve of losses out."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from auxseg.errors import AuxsegError
from auxseg.parallel import track
from auxseg.params.augmentation import BatchNorm, OptimiserParams
from auxseg.training.augment import Sample
from auxseg.training.optimiser import build_optimiser, polynomial, set_batch_norm
from auxseg.training.samples import EpochOrder, TrainingSamples, make_loader

Step = Callable[[Sample], dict[str, Tensor]]
"""Maps a batch on the device to its losses; `loss` is what is minimised."""


def fit(
    network: nn.Module,
    step: Step,
    samples: TrainingSamples,
    *,
    epochs: int,
    batch_size: int,
    optimiser: OptimiserParams,
    batch_norm: BatchNorm,
    device: torch.device,
) -> list[dict[str, float]]:
    """Train `network` in place and return one row an epoch: `epoch`, `lr` and the mean of every loss.

    Raises:
        AuxsegError: the loss is no longer a number.
    """
    order = EpochOrder(len(samples), batch_size, samples.seed)
    loader = make_loader(samples, order, device)
    network.to(device).train()
    set_batch_norm(network, batch_norm)
    sgd = build_optimiser(network, optimiser)
    schedule = polynomial(sgd, epochs * len(order), optimiser.power)
    torch.manual_seed(samples.seed)  # dropout
    curve = []
    for epoch in range(1, epochs + 1):
        order.epoch = epoch
        started, sums = time.monotonic(), defaultdict(float)
        rate = schedule.get_last_lr()[0]
        for batch in track(loader, f"epoch {epoch}/{epochs}", unit="batch"):
            losses = step(_to(batch, device))
            sgd.zero_grad(set_to_none=True)
            losses["loss"].backward()
            if optimiser.clip_norm:
                nn.utils.clip_grad_norm_(network.parameters(), optimiser.clip_norm)
            sgd.step()
            schedule.step()
            for name, value in losses.items():
                sums[name] += float(value.detach())
        row = {name: value / len(order) for name, value in sums.items()}
        if not torch.isfinite(torch.tensor(row["loss"])):
            raise AuxsegError(
                f"epoch {epoch}: the loss is {row['loss']}; lower optimiser.lr or set optimiser.clip_norm"
            )
        curve.append({"epoch": epoch, "lr": rate, **row})
        seconds = time.monotonic() - started
        logging.info("epoch %d/%d: loss %.4f, %.1f s, %.1f images/s", epoch, epochs, row["loss"], seconds,
                     len(order) * order.batch_size / seconds)  # fmt: skip
    return curve


def _to(batch: Sample, device: torch.device) -> Sample:
    def move(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.to(device, non_blocking=True)

    image = batch.image.to(device, non_blocking=True).float()
    return Sample(image, move(batch.classes), move(batch.label), move(batch.saliency))
