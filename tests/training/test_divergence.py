"""A training that leaves the numbers: which step, which images, and the last good checkpoint is still there."""

import pytest
import torch
from tiny_networks import tiny_classifier

from auxseg.errors import AuxsegError
from auxseg.params.classify import ClassifyParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.training.checkpoint import CheckpointFile
from auxseg.training.descent import READ_EVERY
from auxseg.training.distributed import Team
from auxseg.training.loop import fit
from auxseg.training.losses import classification_loss
from training import runs


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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [1, 4, 5])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_lost_loss_names_step_and_images(photos, tmp_path, value, at, accumulate):
    path = tmp_path / "run.safetensors"
    with pytest.raises(AuxsegError) as error:
        run(photos, path, lambda step, loss: loss * value if step == at else loss, accumulate=accumulate)
    message = str(error.value)
    assert message.startswith(f"step {at}: the loss is not a finite number; images {', '.join(runs.batch_of(at))}")
    assert "\n" not in message and "lower optimiser.lr" in message
    assert message.endswith(f"{path} is kept") == path.exists() == (at > 2)  # the first epoch's end writes it


@pytest.mark.parametrize("clip_norm", [None, 5.0])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 8])
def test_a_lost_gradient_names_its_own_step(photos, tmp_path, at, clip_norm):
    """The loss of that step is fine. That of the next one is not, perhaps in the next epoch; after 8 there is none."""

    def spoil(step, loss):
        if step == at:
            loss.register_hook(lambda gradient: gradient * float("nan"))
        return loss

    path = tmp_path / "run.safetensors"
    with pytest.raises(AuxsegError) as error:
        run(photos, path, spoil, clip_norm=clip_norm)
    message = str(error.value)
    assert message.startswith(f"step {at}: the gradient is not finite (it spoils backbone.body.weight)")
    assert f"images {', '.join(runs.batch_of(at))}: " in message
    assert message.endswith(f"{path} is kept") == path.exists() == (at > 2)


@pytest.mark.parametrize(("at", "known"), [(1, True), (3, False), (4, True), (7, False), (8, True)])
def test_losses_read_later_name_the_step_too(photos, tmp_path, monkeypatch, at, known):
    """As on a GPU: two steps an epoch, read at its end, so a lost loss in the first of them spoils the second.

    Whether the gradient before the lost loss was the cause is known only if no step was taken after that loss.
    """
    monkeypatch.setitem(READ_EVERY, "cpu", 2)
    path = tmp_path / "run.safetensors"
    with pytest.raises(AuxsegError) as error:
        run(photos, path, lambda step, loss: loss * float("nan") if step == at else loss)
    message = str(error.value)
    ids = [] if known else runs.batch_of(at - 1)
    doubt = "" if known else ", or the gradient of the step before it was not"
    ids = ", ".join([*ids, *runs.batch_of(at)])
    assert message.startswith(f"step {at}: the loss is not a finite number{doubt}; images {ids}: look")
    assert message.endswith(f"{path} is kept") == path.exists() == (at > 2)


def test_lost_statistics_of_a_batch_norm_stop_a_training(photos, tmp_path):
    """No loss depends on them while the network trains, and every prediction does."""
    network, calls = tiny_classifier(), []
    norm = torch.nn.BatchNorm2d(network.backbone.channels)
    network.backbone.body = torch.nn.Sequential(network.backbone.body, norm)

    def step(part, divisors):
        calls.append(part)
        if len(calls) == 3:
            norm.running_var.fill_(float("inf"))
        return {"loss": classification_loss(network(part.image), part.classes, divisors.images)}

    params = ClassifyParams(epochs=2, batch_size=2, batch_norm="train", optimiser=OptimiserParams(lr=0.01))
    path = tmp_path / "run.safetensors"
    team = Team(torch.device("cpu"))
    with pytest.raises(AuxsegError, match=r"it spoils backbone\.body\.1\.running_var.*run\.safetensors is kept"):
        fit(network, step, photos.samples(labels=False), params, team, CheckpointFile(path))
    assert len(calls) == 4


@pytest.mark.parametrize(("what", "bfloat16"), [("loss", False), ("gradient", True)])
def test_a_team_ends_together_and_keeps_the_checkpoint(tmp_path, what, bfloat16):
    """One of two processes loses its share; both stop, the log says where, and the same command goes on from there."""
    at = 4  # the last step of an epoch
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    assert runs.run_team(2, whole, "train", bfloat16=bfloat16) == [0, 0]
    assert runs.run_team(2, broken, "train", bfloat16=bfloat16, spoil=(what, at, 1)) == [2, 2]
    log = (broken / "log.txt").read_text().splitlines()[-1]
    said = {"loss": "the loss is not a finite number", "gradient": "the gradient is not finite (it spoils "}[what]
    assert log.startswith(f"step {at}: {said}")
    assert f"images {', '.join(runs.batch_of(at))}: look" in log and log.endswith("run.safetensors is kept")
    assert runs.run_team(2, broken, "train", bfloat16=bfloat16) == [0, 0]
    assert "resumed at epoch 2, 0 batches done" in (broken / "log.txt").read_text()
    for name in ("weights.safetensors", "curve.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


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
