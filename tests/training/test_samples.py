"""Samples: what they hold, and that only seed, epoch and position decide how they look."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.images import decode_grey, decode_indices
from auxseg.training.samples import EpochOrder, LabelFiles, collate, make_loader

PLAIN = {"scale": None, "flip": False, "jitter": (0.0, 0.0, 0.0, 0.0), "crop": 64}
CPU = torch.device("cpu")


def same(one, other):
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("image", "classes", "label", "saliency")
    )


def test_contents(photos):
    samples = photos.samples(**PLAIN)
    assert len(samples) == 5
    for position, record in enumerate(photos.records):
        sample = samples[0, position]
        inside = sample.saliency[0] >= 0
        assert inside.sum() == record.height * record.width
        shape = record.height, record.width
        assert (sample.image[:, inside].reshape(3, *shape).permute(1, 2, 0).numpy() == photos.images[record.id]).all()
        label, saliency = decode_indices(photos.labels[record.id]), decode_grey(photos.saliency[record.id])
        assert (sample.label[0][inside].reshape(shape).numpy() == label).all()
        assert (sample.saliency[0][inside].reshape(shape).numpy() == saliency).all()
        assert sample.classes.tolist() == ([1, 0, 1] if position % 2 else [0, 1, 0])
        assert (sample.image.dtype, sample.label.dtype, sample.saliency.dtype) == (
            torch.uint8,
            torch.uint8,
            torch.float32,
        )


def test_image_level_training_has_no_labels(photos):
    sample = photos.samples(labels=False)[0, 0]
    assert (sample.label, sample.saliency) == (None, None)


def test_ignored_images_have_classes_only(photos):
    samples = photos.samples(ignored={"img1"})
    sample = samples[3, 1]
    assert (sample.label == 255).all()
    assert (sample.saliency < 0).all()
    assert sample.classes.tolist() == [1, 0, 1]
    assert torch.equal(sample.image, photos.samples()[3, 1].image)
    assert (samples[3, 2].saliency >= 0).any()


def test_a_sample_depends_on_seed_epoch_and_position_alone(photos):
    samples = photos.samples(seed=4)
    first = [samples[2, position] for position in range(5)]
    torch.rand(7)  # whatever else is drawn
    again = [photos.samples(seed=4)[2, position] for position in reversed(range(5))][::-1]
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    assert not same(samples[3, 0], first[0])
    assert not same(photos.samples(seed=5)[2, 0], first[0])


def test_a_sample_leaves_every_generator_alone(photos, monkeypatch):
    """Also the GPU's: dropout there would otherwise depend on whether this process or a worker makes the samples."""
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    monkeypatch.setattr(torch.cuda, "manual_seed", seeded.append)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    seeded.clear()
    photos.samples()[0, 0]
    assert torch.equal(torch.get_rng_state(), state)
    assert seeded == []


def test_large_seeds(photos):
    """A date, or the largest that numpy knows, is a seed like another."""
    drawn = [photos.samples(seed=seed)[1, 0] for seed in (20_250_101, 20_250_102, 2**62)]
    assert not same(drawn[0], drawn[1])
    orders = [[list(EpochOrder(8, 2, seed))] for seed in (20_250_101, 2**62)]
    assert orders[0] != orders[1]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 99), st.integers(0, 9))
def test_epoch_order(length, batch_size, seed, epoch):
    order = EpochOrder(length, batch_size, seed)
    order.epoch = epoch
    batches = list(order)
    size = min(batch_size, length)
    assert len(batches) == len(order) == length // size
    assert all(len(batch) == size for batch in batches)
    indices = [index for batch in batches for index in batch]
    assert {e for e, _ in indices} == {epoch}
    positions = [position for _, position in indices]
    assert len(set(positions)) == len(positions)
    assert set(positions) <= set(range(length))
    again = EpochOrder(length, batch_size, seed)
    again.epoch = epoch
    assert list(again) == batches


def test_epoch_order_differs_between_epochs_and_seeds():
    order = EpochOrder(30, 30, 0)
    first = [position for _, position in next(iter(order))]
    order.epoch = 1
    second = [position for _, position in next(iter(order))]
    other = [position for _, position in next(iter(EpochOrder(30, 30, 1)))]
    assert sorted(first) == sorted(second) == sorted(other) == list(range(30))
    assert first != second
    assert first != other
    assert second != other  # epoch 1 of seed 0 is not epoch 0 of seed 1


def test_collate(photos):
    samples = [photos.samples()[0, position] for position in (0, 1)]
    batch = collate(samples)
    assert batch.image.shape == (2, 3, 32, 32)
    assert batch.classes.tolist() == [[0, 1, 0], [1, 0, 1]]
    assert torch.equal(batch.label[1], samples[1].label)
    assert torch.equal(batch.saliency[1], samples[1].saliency)
    assert collate([photos.samples(labels=False)[0, 0]]).label is None


@pytest.fixture
def shards(photos, tmp_path):
    """The labels of the photographs in two archives."""
    paths = [tmp_path / "00.zip", tmp_path / "01.zip"]
    for shard, path in enumerate(paths):
        write_archive(path, {f"img{i}.png": photos.labels[f"img{i}"] for i in range(5) if i % 2 == shard})
    return [Archive(path) for path in paths]


def test_label_files(photos, shards):
    files = LabelFiles(shards)
    assert len(files) == 5
    assert set(files) == set(photos.labels)
    assert dict(files) == photos.labels
    with pytest.raises(KeyError):
        files["stranger"]


def test_worker_processes_change_nothing(photos, shards, monkeypatch):
    samples = photos.samples()
    samples.labels = LabelFiles(shards)  # archives, which have to be opened again in the worker
    epochs = {}
    for workers in (0, 1):
        monkeypatch.setenv("AUXSEG_WORKERS", str(workers))
        order = EpochOrder(len(samples), 2, 0)
        loader = make_loader(samples, order, CPU)
        assert loader.num_workers == workers
        epochs[workers] = []
        for epoch in (1, 2):
            order.epoch = epoch
            epochs[workers].append(list(loader))
    for alone, helped in zip(epochs[0], epochs[1], strict=True):
        assert len(alone) == len(helped) == 2
        assert all(same(one, other) for one, other in zip(alone, helped, strict=True))
    assert not same(epochs[0][0][0], epochs[0][1][0])


def test_no_workers_on_a_cpu_unless_asked_for(photos, monkeypatch):
    monkeypatch.delenv("AUXSEG_WORKERS", raising=False)
    assert make_loader(photos.samples(), EpochOrder(5, 2, 0), CPU).num_workers == 0


def test_augmentation_varies_between_positions(photos):
    """Quirk 5: every image of a batch has its own scale."""
    samples = photos.samples(jitter=(0.0, 0.0, 0.0, 0.0), crop=96)
    shown = []
    for position, record in enumerate(photos.records):
        inside = samples[1, position].saliency[0] >= 0
        shown.append(int(inside.any(dim=1).sum()) / record.height)
    assert len(set(np.round(shown, 2))) > 3
