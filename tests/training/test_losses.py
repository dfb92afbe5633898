"""Losses against float64 loops; what is left out of them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from on_gpu import on_gpu
from tiny_networks import network_params, picture, strided_backbone, tiny_auxsegnet

from auxseg.models.auxsegnet import AuxSegNet, Outputs
from auxseg.params.train import LossParams
from auxseg.training.augment import PixelSample
from auxseg.training.losses import Divisors, classification_loss, multi_task_loss, saliency_loss, segmentation_loss

ONE = torch.tensor(1)


def upsampled(logits, height, width):
    return np.stack([reference.bilinear(plane, height, width) for plane in logits.double().numpy()])


def saliency_by_hand(logits, target, mode):
    terms = []
    for b in range(len(logits)):
        large = upsampled(logits[b], *target.shape[2:])[0]
        for z, t in zip(large.flat, target[b, 0].double().numpy().flat, strict=True):
            if t < 0:
                continue
            if mode == "binary":
                t = 1.0 if t > 0.5 else 0.0
            p = 1 / (1 + math.exp(-z))
            terms.append(-t * math.log(p) - (1 - t) * math.log(1 - p))
    return sum(terms) / len(terms) if terms else 0.0


def segmentation_by_hand(logits, label):
    terms = []
    for b in range(len(logits)):
        large = upsampled(logits[b], *label.shape[2:])
        for y in range(label.shape[2]):
            for x in range(label.shape[3]):
                if label[b, 0, y, x] != 255:
                    terms.append(-math.log(reference.softmax(large[:, y, x])[label[b, 0, y, x]]))
    return sum(terms) / len(terms) if terms else 0.0


@given(st.integers(0, 99), st.sampled_from(["binary", "soft"]))
def test_saliency_loss(seed, mode):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 1, 2, 3, generator=generator)
    target = torch.rand(2, 1, 5, 4, generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.3] = -1.0
    found = saliency_loss(logits, target, mode, (target >= 0).sum())
    assert found.item() == pytest.approx(saliency_by_hand(logits, target, mode), rel=1e-4, abs=1e-6)


@given(st.integers(0, 99))
def test_segmentation_loss(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 4, 2, 3, generator=generator)
    label = torch.tensor([0, 1, 2, 3, 255], dtype=torch.uint8)[torch.randint(5, (2, 1, 5, 4), generator=generator)]
    found = segmentation_loss(logits, label, (label != 255).sum())
    assert found.item() == pytest.approx(segmentation_by_hand(logits, label), rel=1e-4, abs=1e-6)


def test_a_gpu_adds_the_losses_of_pixels_in_a_fixed_order():
    """Its kernel of the cross-entropy adds with atomic operations; that of a plain sum does not."""
    with on_gpu() as calls:
        logits = torch.empty(2, 4, 2, 3, device="cuda", requires_grad=True)
        label = torch.empty(2, 1, 5, 4, dtype=torch.uint8, device="cuda")
        assert segmentation_loss(logits, label, torch.empty((), device="cuda")).shape == ()
    (reduction,) = (call.args[3] for call in calls if call.name == "aten.nll_loss2d_forward.default")
    assert reduction == 0  # none


def test_one_half_is_not_salient_in_binary_and_one_half_in_soft():
    logits, target = torch.tensor([[[[2.0]]]]), torch.tensor([[[[0.5]]]])
    not_salient, salient = math.log(1 + math.exp(2)), math.log(1 + math.exp(-2))
    assert saliency_loss(logits, target, "binary", ONE).item() == pytest.approx(not_salient)
    assert saliency_loss(logits, target, "soft", ONE).item() == pytest.approx((not_salient + salient) / 2)
    above = torch.nextafter(target, torch.ones(()))
    assert saliency_loss(logits, above, "binary", ONE).item() == pytest.approx(salient)


def test_padding_has_no_say():
    """Quirk 6: what a crop shows beyond the image is neither background nor 'not salient'."""
    torch.manual_seed(0)
    logits = torch.randn(1, 1, 3, 4, requires_grad=True)
    target = torch.tensor([1.0, 0.0, -1.0, -1.0]).expand(1, 1, 3, 4)
    saliency_loss(logits, target, "soft", torch.tensor(6)).backward()
    assert (logits.grad[..., 2:] == 0).all()
    assert (logits.grad[..., :2] != 0).all()
    logits = torch.randn(1, 4, 1, 4, requires_grad=True)
    segmentation_loss(logits, torch.tensor([[[[1, 0, 255, 255]]]], dtype=torch.uint8), torch.tensor(2)).backward()
    assert (logits.grad[..., 2:] == 0).all()
    assert (logits.grad[..., :2] != 0).all()


def test_a_batch_without_labels_gives_zero_and_finite_gradients():
    network = tiny_auxsegnet().train()
    batch = PixelSample(
        picture(batch=2),
        torch.zeros(2, 3),
        torch.full((2, 1, 24, 32), 255, dtype=torch.uint8),
        torch.full((2, 1, 24, 32), -1.0),
    )
    losses = multi_task_loss(network(batch.image), batch, Divisors.of(batch), LossParams(), "binary")
    for name in ("saliency", "refined_saliency", "segmentation", "refined_segmentation"):
        assert losses[name].item() == 0, name
    assert losses["loss"].item() == losses["classification"].item() > 0
    losses["loss"].backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert gradients["classification.linear.weight"].abs().max() > 0
    assert gradients["segmentation.predict.weight"].abs().max() == 0


def test_multi_task_loss():
    torch.manual_seed(1)
    network = tiny_auxsegnet()
    batch = PixelSample(
        picture(batch=2),
        torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        torch.tensor([0, 1, 2, 3, 255], dtype=torch.uint8)[torch.randint(5, (2, 1, 24, 32))],
        torch.rand(2, 1, 24, 32),
    )
    with torch.no_grad():
        outputs = network(batch.image)
    weights = LossParams(classification=2, saliency=3, segmentation=5)
    losses = multi_task_loss(outputs, batch, Divisors.of(batch), weights, "soft")
    terms = []
    for z, t in zip(outputs.classification.double().flatten(), batch.classes.double().flatten(), strict=True):
        terms.append(-float(t * math.log(reference.sigmoid(z)) + (1 - t) * math.log(1 - reference.sigmoid(z))))
    wanted = {
        "classification": sum(terms) / len(terms),
        "saliency": saliency_by_hand(outputs.saliency, batch.saliency, "soft"),
        "refined_saliency": saliency_by_hand(outputs.refined_saliency, batch.saliency, "soft"),
        "segmentation": segmentation_by_hand(outputs.segmentation, batch.label),
        "refined_segmentation": segmentation_by_hand(outputs.refined_segmentation, batch.label),
    }
    for name, value in wanted.items():
        assert losses[name].item() == pytest.approx(value, rel=1e-4), name
    total = (
        2 * wanted["classification"]
        + 3 * (wanted["saliency"] + wanted["refined_saliency"])
        + 5 * (wanted["segmentation"] + wanted["refined_segmentation"])
    )
    assert losses["loss"].item() == pytest.approx(total, rel=1e-4)
    assert set(losses) == {"loss", *wanted}
    binary = multi_task_loss(outputs, batch, Divisors.of(batch), LossParams(), "binary")
    assert binary["saliency"].item() == pytest.approx(
        saliency_by_hand(outputs.saliency, batch.saliency, "binary"), rel=1e-4
    )


def test_a_decoder_has_the_losses_of_both_tasks():
    """Its predictions at stride 4, upsampled, are held against the same labels, with the tasks' weights."""
    torch.manual_seed(2)
    network = AuxSegNet(strided_backbone(), 3, 16, network_params(decoder=8)).eval()
    torch.nn.init.normal_(network.decoder.predict.weight)
    label = torch.tensor([0, 1, 2, 3, 255], dtype=torch.uint8)[torch.randint(5, (2, 1, 32, 48))]
    batch = PixelSample(picture(32, 48, batch=2), torch.eye(3)[:2], label, torch.rand(2, 1, 32, 48))
    with torch.no_grad():
        outputs = network(batch.image)
    weights = LossParams(classification=2, saliency=3, segmentation=5)
    losses = multi_task_loss(outputs, batch, Divisors.of(batch), weights, "soft")
    without = multi_task_loss(replace(outputs, decoded=None), batch, Divisors.of(batch), weights, "soft")
    saliency = saliency_by_hand(outputs.decoded[:, :1], batch.saliency, "soft")
    segmentation = segmentation_by_hand(outputs.decoded[:, 1:], batch.label)
    assert losses["decoded_saliency"].item() == pytest.approx(saliency, rel=1e-4)
    assert losses["decoded_segmentation"].item() == pytest.approx(segmentation, rel=1e-4)
    more = 3 * saliency + 5 * segmentation
    assert losses["loss"].item() == pytest.approx(without["loss"].item() + more, rel=1e-4)


@pytest.mark.parametrize("mode", ["binary", "soft"])
def test_gradients(mode):
    """All five terms, through the upsampling, in float64 against finite differences."""
    random = torch.Generator().manual_seed(0)
    classes = torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64)
    label = torch.tensor([0, 1, 2, 3, 255], dtype=torch.uint8)[torch.randint(5, (1, 1, 5, 4), generator=random)]
    target = torch.rand(1, 1, 5, 4, generator=random, dtype=torch.float64)
    target[..., 0] = -1
    batch = PixelSample(torch.zeros(1, 3, 5, 4), classes, label, target)
    sizes = [(1, 3), (1, 1, 2, 2), (1, 4, 2, 2), (1, 1, 2, 2), (1, 4, 2, 2)]
    logits = [torch.randn(size, generator=random, dtype=torch.float64).requires_grad_() for size in sizes]

    def total(*logits):
        outputs = Outputs(*logits, pairwise=None, unary=None, features=None, decoded=None)
        weights = LossParams(classification=2, saliency=3, segmentation=5)
        return multi_task_loss(outputs, batch, Divisors.of(batch), weights, mode)["loss"]

    assert torch.autograd.gradcheck(total, logits)


@given(st.integers(0, 99))
def test_the_parts_of_a_batch_add_up_to_it(seed):
    """However a batch is cut, and however unlike its parts are in labelled pixels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0, 1, 2, 3, 255, 255], dtype=torch.uint8)
    batch = PixelSample(
        torch.zeros(4, 3, 5, 4),
        (torch.rand(4, 3, generator=generator) < 0.5).float(),
        labels[torch.randint(6, (4, 1, 5, 4), generator=generator)],
        torch.rand(4, 1, 5, 4, generator=generator) - 0.3,
    )
    batch.label[0], batch.saliency[1] = 255, -1.0
    logits = [torch.randn(4, c, 2, 2, generator=generator) for c in (3, 1, 4)]
    cut = int(torch.randint(1, 4, (), generator=generator))

    def losses(part, begin, end, divisors):
        tags, saliency, segmentation = (values[begin:end] for values in logits)
        return torch.stack(
            [
                classification_loss(tags.mean(dim=(2, 3)), part.classes, divisors.images),
                saliency_loss(saliency, part.saliency, "soft", divisors.saliency),
                segmentation_loss(segmentation, part.label, divisors.labels),
            ]
        )

    parts = [batch.map(lambda value, part=part: value[part]) for part in (slice(cut), slice(cut, None))]
    divisors = Divisors.of(*parts)
    assert divisors == Divisors.of(batch)
    whole = losses(batch, 0, 4, divisors)
    torch.testing.assert_close(losses(parts[0], 0, cut, divisors) + losses(parts[1], cut, 4, divisors), whole)
