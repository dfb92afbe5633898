"""Samples: what they contain, and that they depend only on seed, epoch and position."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.encoded import decode_grey, decode_indices, encode_label
from auxseg.errors import DataError, ParamsError
from auxseg.params.runtime import RuntimeParams
from auxseg.training.augment import Sample
from auxseg.training.samples import EpochOrder, LabelFiles, collate, loaded, make_loader

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
        sample = samples[0, position, 0]
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


def test_an_image_is_reduced_to_the_largest_side(photos):
    """As inference does it: 30 x 50 becomes 15 x 25, and image, label and saliency stay together."""
    sample = photos.samples(runtime=RuntimeParams.model_construct(max_side=25, min_side=None), **PLAIN)[0, 0, 0]
    inside = sample.saliency[0] >= 0
    assert (int(inside.any(dim=1).sum()), int(inside.any(dim=0).sum()), int(inside.sum())) == (15, 25, 15 * 25)


def test_image_level_training_has_no_labels(photos):
    sample = photos.samples(labels=False)[0, 0, 0]
    assert type(sample) is Sample


def test_ignored_images_have_classes_only(photos):
    samples = photos.samples(ignored={"img1"})
    sample = samples[3, 1, 0]
    assert (sample.label == 255).all()
    assert (sample.saliency < 0).all()
    assert sample.classes.tolist() == [1, 0, 1]
    assert torch.equal(sample.image, photos.samples()[3, 1, 0].image)
    assert (samples[3, 2, 0].saliency >= 0).any()


def test_padding_of_an_ignored_image_is_unknown_too(photos):
    settings = {"padding": "background", "crop": 64, "scale": (0.7, 0.8)}
    assert (photos.samples(**settings)[0, 1, 0].label == 0).any()
    sample = photos.samples(ignored={"img1"}, **settings)[0, 1, 0]
    assert (sample.label == 255).all()
    assert (sample.saliency < 0).all()


@pytest.mark.parametrize("per", ["batch", "image"])
def test_one_scale_a_batch(photos, per):
    """Quirk 5: the released code draws one scale for a whole batch."""
    samples = photos.samples(crop=128, scale=(0.5, 1.5), scale_per=per, seed=1)

    def factor(epoch, position, batch):
        inside, record = samples[epoch, position, batch].saliency[0] >= 0, samples.records[position]
        return int(inside.any(dim=1).sum()) / record.height, int(inside.any(dim=0).sum()) / record.width

    factors = np.array([[factor(1, position, batch) for position in range(5)] for batch in (0, 1)])
    spread = factors.max(axis=(1, 2)) - factors.min(axis=(1, 2))
    if per == "batch":
        assert (spread <= 1 / 30).all()  # sizes are rounded to whole pixels, half a pixel of 30 at most
        drawn = [factor(epoch, 0, batch)[0] for epoch in (1, 2, 3) for batch in (0, 1)]
        assert np.diff(sorted(drawn)).max() > 0.1
        assert max(drawn) - min(drawn) > 0.3
    else:
        assert (spread > 0.2).all()
        assert same(samples[1, 3, 0], samples[1, 3, 1])


def test_pixels_of_dropped_classes_have_no_label(photos):
    plain, dropped = photos.samples()[3, 1, 0], photos.samples(dropped={"img1": [1, 3]})[3, 1, 0]
    touched = torch.isin(plain.label, torch.tensor([1, 3], dtype=torch.uint8))
    assert 0 < touched.sum() < touched.numel()
    assert (dropped.label[touched] == 255).all()
    assert torch.equal(dropped.label[~touched], plain.label[~touched])
    assert torch.equal(dropped.saliency, plain.saliency)
    assert torch.equal(dropped.classes, plain.classes)
    assert same(photos.samples(dropped={"img1": [1, 3]})[3, 2, 0], photos.samples()[3, 2, 0])


def test_a_corrected_label_decides_saliency_too_except_where_it_is_open(photos):
    record = photos.records[1]
    drawn = np.random.default_rng(9).choice(np.array([0, 2, 255], np.uint8), (record.height, record.width))
    corrected = photos.samples(corrected={"img1": encode_label(drawn)}, dropped={"img1": [2]}, **PLAIN)
    found, plain = corrected[0, 1, 0], photos.samples(**PLAIN)[0, 1, 0]
    inside, shape = found.saliency[0] >= 0, (record.height, record.width)
    label, saliency = (values[0][inside].reshape(shape).numpy() for values in (found.label, found.saliency))
    assert (label == drawn).all()
    assert (saliency[drawn == 0] == 0).all() and (saliency[drawn == 2] == 1).all()
    before = plain.saliency[0][inside].reshape(shape).numpy()
    assert (saliency[drawn == 255] == before[drawn == 255]).all()
    assert torch.equal(found.image, plain.image) and torch.equal(found.classes, plain.classes)
    assert same(corrected[0, 2, 0], photos.samples(**PLAIN)[0, 2, 0])


def test_a_sample_depends_on_seed_epoch_and_position_alone(photos):
    samples = photos.samples(seed=4)
    first = [samples[2, position, 0] for position in range(5)]
    torch.rand(7)  # whatever else is drawn
    again = [photos.samples(seed=4)[2, position, 0] for position in reversed(range(5))][::-1]
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    assert not same(samples[3, 0, 0], first[0])
    assert not same(photos.samples(seed=5)[2, 0, 0], first[0])


def test_a_sample_leaves_every_generator_alone(photos, monkeypatch):
    """Also the GPU's: dropout there would otherwise depend on whether this process or a worker makes the samples."""
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    monkeypatch.setattr(torch.cuda, "manual_seed", seeded.append)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    seeded.clear()
    photos.samples()[0, 0, 0]
    assert torch.equal(torch.get_rng_state(), state)
    assert seeded == []


def test_large_seeds(photos):
    """A date, or the largest that numpy knows, is a seed like another."""
    drawn = [photos.samples(seed=seed)[1, 0, 0] for seed in (20_250_101, 20_250_102, 2**62)]
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
    assert {e for e, _, _ in indices} == {epoch}
    assert [index[2] for index in indices] == [number for number in range(len(batches)) for _ in range(size)]
    positions = [position for _, position, _ in indices]
    assert len(set(positions)) == len(positions)
    assert set(positions) <= set(range(length))
    again = EpochOrder(length, batch_size, seed)
    again.epoch = epoch
    assert list(again) == batches


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_parts_of_all_processes_are_the_batches_of_one(length, batch_size, size, accumulate, first):
    parts = size * accumulate
    if min(length, batch_size) < parts:
        with pytest.raises(DataError, match=f"{length} training images in batches of {batch_size}"):
            EpochOrder(length, batch_size, 5, 0, size, accumulate)
        return
    whole = EpochOrder(length, min(length, batch_size) // parts * parts, 5)
    orders = [EpochOrder(length, batch_size, 5, rank, size, accumulate) for rank in range(size)]
    for order in orders:
        order.epoch = whole.epoch = 3
        order.first = min(first, order.batches)
    wanted = list(whole)[orders[0].first :]
    assert all(order.batches == whole.batches for order in orders)
    given_parts = [list(order) for order in orders]
    assert all(
        len(found) == len(order) == len(wanted) * accumulate for found, order in zip(given_parts, orders, strict=True)
    )
    for number, batch in enumerate(wanted):
        found = [part for mine in given_parts for part in mine[number * accumulate : (number + 1) * accumulate]]
        assert {len(part) for part in found} == {len(batch) // parts}
        assert sorted(index for part in found for index in part) == sorted(batch)


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.data())
def test_several_passes_are_so_many_epochs(length, batch_size, passes, number, data):
    order = EpochOrder(length, batch_size, 5)
    wanted = []
    for epoch in range((number - 1) * passes + 1, number * passes + 1):
        order.epoch = epoch
        wanted += list(order)
    joined = EpochOrder(length, batch_size, 5)
    joined.passes, joined.epoch = passes, number
    assert list(joined) == wanted and len(joined) == len(wanted) == joined.batches
    joined.first = data.draw(st.integers(0, len(wanted)))
    joined.stop = data.draw(st.integers(joined.first, len(wanted)))
    assert list(joined) == wanted[joined.first : joined.stop] and len(joined) == joined.stop - joined.first


def test_epoch_order_differs_between_epochs_and_seeds():
    order = EpochOrder(30, 30, 0)
    first = [position for _, position, _ in next(iter(order))]
    order.epoch = 1
    second = [position for _, position, _ in next(iter(order))]
    other = [position for _, position, _ in next(iter(EpochOrder(30, 30, 1)))]
    assert sorted(first) == sorted(second) == sorted(other) == list(range(30))
    assert first != second
    assert first != other
    assert second != other  # epoch 1 of seed 0 is not epoch 0 of seed 1


def test_collate(photos):
    samples = [photos.samples()[0, position, 0] for position in (0, 1)]
    batch = collate(samples)
    assert batch.image.shape == (2, 3, 32, 32)
    assert batch.classes.tolist() == [[0, 1, 0], [1, 0, 1]]
    assert torch.equal(batch.label[1], samples[1].label)
    assert torch.equal(batch.saliency[1], samples[1].saliency)
    assert type(collate([photos.samples(labels=False)[0, 0, 0]])) is Sample


@pytest.fixture
def shards(photos, tmp_path):
    """The labels of the images in two archives."""
    paths = [tmp_path / "00.zip", tmp_path / "01.zip"]
    for shard, path in enumerate(paths):
        write_archive(path, {f"img{i}.png": photos.labels[f"img{i}"] for i in range(5) if i % 2 == shard})
    return [Archive(path) for path in paths]


def test_label_files(photos, shards):
    files = LabelFiles(shards)
    assert len(files) == 5
    assert set(files) == set(photos.labels)
    assert dict(files) == photos.labels
    assert "img3" in files and "stranger" not in files
    with pytest.raises(DataError, match=r"no archive contains 'stranger\.png'"):
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


def test_the_error_of_a_worker_process_is_one_line(photos, shards, monkeypatch):
    samples = photos.samples()
    write_archive(shards[0].path, {f"img{i}.png": encode_label(np.zeros((5, 5), np.uint8)) for i in (0, 2, 4)})
    samples.labels = LabelFiles([Archive(shards[0].path), shards[1]])
    monkeypatch.setenv("AUXSEG_WORKERS", "1")
    order = EpochOrder(len(samples), 4, 0)
    order.epoch = 1
    with pytest.raises(DataError) as error:
        list(loaded(make_loader(samples, order, CPU)))
    assert str(error.value).startswith(f"{shards[0].path}: damaged: 'img") and "\n" not in str(error.value)


def test_a_program_ends_although_something_holds_a_loader_with_workers(tmp_path):
    """As an error does that was not handled before the interpreter ends."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, torch\n"
        "from auxseg.training.augment import Sample\n"
        "from auxseg.training.samples import EpochOrder, make_loader\n"
        "class Samples(torch.utils.data.Dataset):\n"
        "    seed = 0\n"
        "    def __getitem__(self, index):\n"
        "        return Sample(torch.zeros(3, 4, 4), torch.zeros(1))\n"
        "if __name__ == '__main__':\n"
        "    os.environ['AUXSEG_WORKERS'] = '1'\n"
        "    held = iter(make_loader(Samples(), EpochOrder(8, 2, 0), torch.device('cpu')))\n"
        "    print(len(next(held).image))\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.parametrize("asked", ["x", "-1", "2.0", "", "257", "9" * 5000])
def test_a_wrong_number_of_workers_is_named(photos, monkeypatch, asked):
    monkeypatch.setenv("AUXSEG_WORKERS", asked)
    with pytest.raises(ParamsError, match="AUXSEG_WORKERS"):
        make_loader(photos.samples(), EpochOrder(5, 2, 0), CPU)


def test_no_workers_on_a_cpu_unless_asked_for(photos, monkeypatch):
    monkeypatch.delenv("AUXSEG_WORKERS", raising=False)
    assert make_loader(photos.samples(), EpochOrder(5, 2, 0), CPU).num_workers == 0


def test_augmentation_varies_between_positions(photos):
    """Quirk 5: every image of a batch has its own scale."""
    samples = photos.samples(jitter=(0.0, 0.0, 0.0, 0.0), crop=96)
    shown = []
    for position, record in enumerate(photos.records):
        inside = samples[1, position, 0].saliency[0] >= 0
        shown.append(int(inside.any(dim=1).sum()) / record.height)
    assert len(set(np.round(shown, 2))) > 3
