"""The loop: it learns, reports every epoch, rejects a lost loss and repeats itself to the byte."""

import logging

import numpy as np
import pytest
import torch
from tiny_networks import tiny_auxsegnet, tiny_classifier

from auxseg.errors import AuxsegError
from auxseg.models.weights import save_weights
from auxseg.params.classify import ClassifyParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.params.train import LossParams
from auxseg.training.distributed import Team
from auxseg.training.loop import fit
from auxseg.training.losses import classification_loss, multi_task_loss
from auxseg.training.samples import EpochOrder

CPU = torch.device("cpu")


def train(network, samples, step=None, epochs=3, steps=None, batch_size=2, batch_norm="frozen", **optimiser):
    def classify(batch, divisors):
        return {"loss": classification_loss(network(batch.image), batch.classes, divisors.images)}

    params = ClassifyParams(
        epochs=None if steps else epochs,
        steps=steps,
        batch_size=batch_size,
        optimiser=OptimiserParams(**{"lr": 0.01, **optimiser}),
        batch_norm=batch_norm,
    )
    return fit(network, step or classify, samples, params, Team(CPU))


def test_it_learns(photos):
    network = tiny_classifier()
    network.classification.dropout.p = 0.0
    curve = train(network, photos.samples(labels=False, jitter=(0.0, 0.0, 0.0, 0.0)), epochs=30, batch_norm="train")
    assert np.mean([row["loss"] for row in curve[-5:]]) < 0.5 * curve[0]["loss"]


def test_steps_are_the_epochs_they_make(photos, monkeypatch):
    """5 images in batches of 2: 2 steps an epoch, so 3 epochs are 6 steps."""
    monkeypatch.setattr("auxseg.training.loop.ROW_STEPS", 4)
    weights = {}
    for name, length in {"epochs": {"epochs": 3}, "steps": {"steps": 6}}.items():
        network = tiny_classifier()
        curve = train(network, photos.samples(labels=False), **length)
        weights[name] = network.state_dict()
        assert [row["epoch"] for row in curve] == ([1, 2, 3] if name == "epochs" else [2, 3])
    for name, value in weights["epochs"].items():
        assert torch.equal(value, weights["steps"][name]), name


def test_a_run_ends_after_its_steps_within_an_epoch(photos, monkeypatch):
    monkeypatch.setattr("auxseg.training.loop.ROW_STEPS", 3)
    done = []
    network = tiny_classifier()

    def step(batch, divisors):
        done.append(len(batch.image))
        return {"loss": classification_loss(network(batch.image), batch.classes, divisors.images)}

    curve = train(network, photos.samples(labels=False), step, steps=7)
    assert done == [2] * 7
    assert [row["epoch"] for row in curve] == [2, 3.5]  # rows of whole passes: of 4 steps, and of what is left


def test_curve(photos):
    network = tiny_auxsegnet()

    def step(batch, divisors):
        return multi_task_loss(network(batch.image), batch, divisors, LossParams(), "binary")

    curve = train(network, photos.samples(), step, epochs=2, lr=0.001, power=0.9)
    parts = ["classification", "saliency", "refined_saliency", "segmentation", "refined_segmentation"]
    assert [list(row) for row in curve] == [["epoch", "lr", "loss", *parts]] * 2
    assert [row["epoch"] for row in curve] == [1, 2]
    # 5 images in batches of 2: 2 steps an epoch, 4 in all; the rate is that of the epoch's first step
    assert [row["lr"] for row in curve] == pytest.approx([0.001, 0.001 * 0.5**0.9])
    for row in curve:
        assert row["loss"] == pytest.approx(sum(row[part] for part in parts), rel=1e-5)


def test_losses_are_means_over_the_batches(photos):
    network, values = tiny_classifier(), iter([1.0, 4.0, 2.0, 8.0])

    def step(batch, divisors):
        return {"loss": network(batch.image).sum() * 0 + next(values)}

    curve = train(network, photos.samples(labels=False), step, epochs=2)
    assert [row["loss"] for row in curve] == [2.5, 5.0]


def test_batches_reach_the_step_as_float_images_in_training_mode(photos):
    network, seen = tiny_classifier(), []

    def step(batch, divisors):
        seen.append((batch.image.dtype, batch.image.max().item() > 1, network.training, tuple(batch.image.shape)))
        return {"loss": network(batch.image).sum() * 0}

    train(network, photos.samples(labels=False), step, epochs=1)
    assert seen == [(torch.float32, True, True, (2, 3, 32, 32))] * 2


def test_every_epoch_has_its_own_order_and_augmentation(photos):
    network, samples, seen, wanted = tiny_classifier(), photos.samples(labels=False, seed=3), [], []

    def step(batch, divisors):
        seen.append(batch.image)
        return {"loss": network(batch.image).sum() * 0}

    train(network, samples, step, epochs=2)
    order = EpochOrder(5, 2, 3)
    for order.epoch in (1, 2):
        wanted += [torch.stack([samples[index].image for index in batch]).float() for batch in order]
    assert all(torch.equal(one, other) for one, other in zip(seen, wanted, strict=True))


def test_steps_by_hand(photos):
    """A gradient of 1 at each of four steps, nothing carried over from one to the next."""
    network = tiny_classifier()
    weight = network.classification.linear.weight
    before = weight.detach().clone()
    train(
        network,
        photos.samples(labels=False),
        lambda batch, divisors: {"loss": weight.sum()},
        epochs=2,
        new_layers=2.0,
        momentum=0.0,
        weight_decay=0.0,
        power=1.0,
    )
    rates = [0.02 * (1 - t / 4) for t in range(4)]
    torch.testing.assert_close(weight.detach(), before - sum(rates))


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_rejected(photos, lost):
    network = tiny_classifier()

    def step(batch, divisors):
        return {"loss": network(batch.image).sum() * lost}

    with pytest.raises(AuxsegError, match=r"step \d+: the (loss|gradient) is not .*lower optimiser\.lr"):
        train(network, photos.samples(labels=False), step)


def test_clip_norm(photos):
    steps = {}
    for clip in (None, 1e-3):
        network = tiny_classifier()
        before = torch.cat([p.detach().flatten().clone() for p in network.parameters()])

        def step(batch, divisors, network=network):
            return {"loss": 1e3 * network(batch.image).sum()}

        train(
            network,
            photos.samples(labels=False),
            step,
            epochs=1,
            batch_size=5,
            new_layers=1.0,
            weight_decay=0.0,
            lr=0.1,
            clip_norm=clip,
        )
        steps[clip] = (torch.cat([p.detach().flatten() for p in network.parameters()]) - before).norm().item()
    assert steps[1e-3] == pytest.approx(0.1 * 1e-3, rel=0.02)
    assert steps[None] > 1


def test_two_runs_write_the_same_bytes(photos, tmp_path):
    for run in ("a", "b", "other"):
        network = tiny_auxsegnet(seed=1)

        def step(batch, divisors, network=network):
            return multi_task_loss(network(batch.image), batch, divisors, LossParams(), "soft")

        torch.rand(3 if run == "b" else 1)  # the state of the global generator does not matter
        train(network, photos.samples(seed=7 if run == "other" else 0), step, epochs=2)
        save_weights(tmp_path / f"{run}.safetensors", network, {})
    contents = [(tmp_path / f"{run}.safetensors").read_bytes() for run in ("a", "b", "other")]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_batch_larger_than_the_set_is_the_set(photos, caplog):
    network, sizes = tiny_classifier(), []

    def step(batch, divisors):
        sizes.append(len(batch.image))
        return {"loss": network(batch.image).sum() * 0}

    with caplog.at_level(logging.INFO):
        train(network, photos.samples(labels=False), step, epochs=2, batch_size=64)
    assert sizes == [5, 5]
    assert "epoch 2/2: loss" in caplog.text


def test_weights_that_the_last_step_spoils_are_rejected(photos):
    """No loss is computed after it, so only the weights can tell."""
    network, samples = tiny_classifier(), photos.samples(labels=False)
    steps = []

    def step(batch, divisors):
        steps.append(1)
        loss = classification_loss(network(batch.image), batch.classes, divisors.images)
        if len(steps) == last:
            loss.register_hook(lambda gradient: gradient * float("inf"))
        return {"loss": loss}

    last = len(samples) // 2
    with pytest.raises(AuxsegError, match=r"step 2: the gradient is not finite .* lower optimiser\.lr"):
        train(network, samples, step, epochs=1)
    assert len(steps) == last
