"""A training that leaves the numbers: which step, which images, and the last good checkpoint is still there."""

import pytest
import torch
from tiny_networks import tiny_classifier

from auxseg.errors import AuxsegError
from auxseg.params.classify import ClassifyParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.training.checkpoint import CheckpointFile
from auxseg.training.distributed import Team
from auxseg.training.loop import fit
from auxseg.training.losses import classification_loss
from auxseg.training.samples import EpochOrder


def run(photos, folder, spoil, *, epochs=4, accumulate=1, **optimiser):
    """Train on five images in batches of 2, two steps an epoch; `spoil` changes the loss of a step, from 1 on."""
    network, calls = tiny_classifier(), []

    def step(part, divisors):
        calls.append(part)
        loss = classification_loss(network(part.image), part.classes, divisors.images)
        return {"loss": spoil((len(calls) + accumulate - 1) // accumulate, loss)}

    params = ClassifyParams(
        epochs=epochs, batch_size=2, accumulate=accumulate, optimiser=OptimiserParams(lr=0.01, **optimiser)
    )
    return fit(network, step, photos.samples(labels=False), params, Team(torch.device("cpu")), CheckpointFile(folder))


def batch_of(photos, step: int) -> list[str]:
    """The ids of the images in a batch, from 1 on, as the loader gets them."""
    order = EpochOrder(5, 2, 0)
    order.epoch = (step + 1) // 2
    indices = list(order)[(step - 1) % 2]
    return [photos.records[position].id for _, position, _ in indices]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [1, 4, 5])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_lost_loss_names_step_and_images(photos, tmp_path, value, at, accumulate):
    path = tmp_path / "run.safetensors"
    with pytest.raises(AuxsegError) as error:
        run(photos, path, lambda step, loss: loss * value if step == at else loss, accumulate=accumulate)
    message = str(error.value)
    assert message.startswith(f"step {at}: the loss is not a finite number; images {', '.join(batch_of(photos, at))}")
    assert "\n" not in message and "lower optimiser.lr" in message
    assert message.endswith(f"{path} is kept") == path.exists() == (at > 2)  # the first epoch's end writes it


@pytest.mark.parametrize("clip_norm", [None, 5.0])
@pytest.mark.parametrize("at", [3, 5])
def test_a_lost_gradient_names_its_own_step(photos, tmp_path, at, clip_norm):
    """The loss of that step is fine, the next one's is not."""

    def spoil(step, loss):
        if step == at:
            loss.register_hook(lambda gradient: gradient * float("nan"))
        return loss

    with pytest.raises(AuxsegError) as error:
        run(photos, tmp_path / "run.safetensors", spoil, clip_norm=clip_norm)
    assert str(error.value).startswith(f"step {at}: the gradient is not finite (of ")
    assert f"images {', '.join(batch_of(photos, at))}: " in str(error.value)


def test_a_spoilt_network_never_replaces_a_checkpoint(photos, tmp_path):
    """The last step of an epoch spoils the weights; the checkpoint of the epoch before stays, and trains to the end."""
    path, written = tmp_path / "run.safetensors", []

    def spoil(step, loss):
        if step == 4:
            written.append(path.read_bytes())
            loss.register_hook(lambda gradient: gradient * float("inf"))
        return loss

    with pytest.raises(AuxsegError, match=r"run\.safetensors is kept"):
        run(photos, path, spoil)
    assert path.read_bytes() == written[0]

    steps = []
    resumed = run(photos, path, lambda step, loss: steps.append(step) or loss)
    assert len(steps) == 6  # of eight
    whole = run(photos, tmp_path / "whole.safetensors", lambda step, loss: loss)
    assert resumed == whole
