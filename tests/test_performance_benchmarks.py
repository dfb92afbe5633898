"""benchmarks/performance: the page shows what the tables hold, and the programs measure what they say, in small."""

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from auxseg.datasets.manifest import ClassTable
from auxseg.models import tiles
from auxseg.models.auxsegnet import check_auxsegnet
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.runtime import RuntimeParams

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def load(load_script):
    """Import a program of the folder, whose programs import each other by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks/performance"))
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield lambda name: load_script(f"benchmarks/performance/{name}.py")


def test_the_page_shows_the_tables(load):
    report, text = load("report"), (ROOT / "docs/performance.md").read_text()
    assert report.filled(text) == text, "run python benchmarks/performance/report.py"
    assert all(f"<!-- table {name} -->\n" in text for name in report.TABLES)


def test_a_row_replaces_the_one_of_the_same_measurement(load, tmp_path, capsys):
    timing, path = load("timing"), tmp_path / "rows.csv"
    for name, seconds in (("a", 1), ("b", 2), ("a", 3)):
        timing.keep(path, [{"what": name, "seconds": seconds}], ("what",))
    with path.open() as stream:
        assert list(csv.DictReader(stream)) == [{"what": "b", "seconds": "2"}, {"what": "a", "seconds": "3"}]
    assert capsys.readouterr().out.splitlines()[-1] == "what a, seconds 3"


def test_calls_are_counted_without_the_first(load):
    calls = []
    timing = load("timing").timed(lambda: calls.append(1), 4)
    assert len(calls) == 5
    assert timing.n == 4
    assert 0 <= timing.low <= timing.median <= timing.high


def test_an_image_in_tiles_and_whole(load, monkeypatch):
    large = load("large_images")
    monkeypatch.setattr(tiles, "DENSE_POSITIONS", tiles.DENSE_POSITIONS)  # `measure` sets it, in a process of its own
    rows = [large.measure(64, 96, affinities, 1, 1) for affinities in ("whole", "tiles")]
    assert [row["positions"] for row in rows] == [96, 96]
    assert all(row["seconds"] >= 0 for row in rows)  # rounded: 0 on a fast machine


def test_further_classes_are_unlikely_and_the_others_stay_in_order(load):
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5)).transpose(2, 0, 1).astype(np.float32)
    widened = load("crf_classes").widened(probabilities, 10, np.random.default_rng(1))
    assert widened.shape == (10, 4, 5)
    np.testing.assert_allclose(widened.sum(axis=0), 1, rtol=1e-5)
    assert widened[3:].max() <= 2.0**-7
    assert (widened[:3].argmax(axis=0) == probabilities.argmax(axis=0)).all()


@pytest.fixture
def tiny(tmp_path):
    return argparse.Namespace(to=tmp_path, tiny=True, released=None)


def test_what_the_gpu_is_compared_with_is_the_cpu(load, tiny):
    """On a CPU the difference in float32 is none, and in bfloat16 there is one."""
    networks = load("gpu_networks")
    rows = networks.measure(torch.device("cpu"), tiny)
    values = {(row["what"].rpartition(", ")[2], row["figure"]): float(row["value"]) for row in rows[:-1]}
    assert all(values["float32", figure] == 0 for _, figure in values)
    assert 1e-5 < values["bfloat16", "gradient, difference"] < networks.BFLOAT16
    assert 0 < values["in tiles", "gradient, difference"] < networks.FLOAT32
    assert {row["ok"] for row in rows[:-1]} == {"yes"}
    assert rows[-1]["value"] == networks.STEPS


def test_networks_are_compared_without_any_dropout(load):
    """Two runs draw differently, as a GPU and a CPU do; ResNet38 has dropout inside."""
    networks = load("gpu_networks")
    network = networks.random_network("efficientnet_lite0", 16)
    network.backbone.body = torch.nn.Sequential(network.backbone.body, torch.nn.Dropout2d(0.5))
    rows = networks.compare("a", network, networks.random_part(2, 64), torch.device("cpu"))
    assert {float(row["value"]) for row in rows if row["what"] == "a, float32"} == {0}


def test_the_networks_of_the_largest_images_exist(load):
    """Also those that the tiny form leaves out."""
    for backbone, stride in load("gpu_sizes").NETWORKS:
        check_auxsegnet(BackboneParams(name=backbone, output_stride=stride), NetworkParams())


def test_a_rate_of_training_leaves_the_start_out(load, monkeypatch, tmp_path):
    rates = load("gpu_rates")
    names = tuple(f"class{number}" for number in range(rates.CLASSES))
    records = list(rates.write_images(tmp_path, 2, names, (64, 96)))
    dataset = argparse.Namespace(root=tmp_path, classes=ClassTable(names, tuple(range(1, rates.CLASSES + 1))))
    monkeypatch.setattr(rates, "fit", lambda network, step, samples, params, team: 100 + 2 * params.epochs)
    monkeypatch.setattr(rates, "timed", lambda function, *_: argparse.Namespace(median=function()))
    monkeypatch.setattr(rates, "descent", lambda *_: lambda: 1)
    rate, _ = rates.train_rates(None, dataset, records, 64, 2, RuntimeParams(), torch.device("cpu"))
    assert rate == 4  # 8 samples in 2 seconds


def test_a_figure_that_is_no_number_is_not_within_a_bound(load):
    rows = load("gpu_rows")
    assert [rows.at_most("a", "b", value, 1.0)["ok"] for value in (0.5, 1.5, float("nan"))] == ["yes", "no", "no"]


def test_the_largest_image_is_the_last_that_fits(load, monkeypatch):
    sizes = load("gpu_sizes")

    def run(network, side, device):
        if side > 200:
            raise torch.OutOfMemoryError

    rows = sizes.largest("a", None, run, (100, 200, 300, 400), torch.device("cpu"))
    assert [(row["figure"], row["value"]) for row in rows][::3] == [
        ("largest side, pixels", 200),
        ("too large, pixels", 300),
    ]


@pytest.mark.nightly
def test_the_command_for_a_gpu_on_a_cpu(tmp_path):
    """All parts in small; what was done is not done again, and a check that fails is the exit code."""
    command = [sys.executable, ROOT / "benchmarks/performance/gpu.py", "--to", tmp_path, "--tiny", "--minutes", "30"]
    environment = {**os.environ, "AUXSEG_DEVICE": "cpu", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, env=environment, check=True)
    tables = {path.stem: list(csv.DictReader(path.open())) for path in tmp_path.glob("*.csv")}
    assert set(tables) == {"networks", "pipeline", "steps", "rates", "sizes"}
    assert all(tables.values()) and not [row for rows in tables.values() for row in rows if row["ok"] == "no"]
    path = tmp_path / "sizes.csv"
    path.write_text(path.read_text().replace(",,,", ",<= 1,no,", 1))
    done = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "done" not in done.stdout


def test_the_released_networks_outputs_become_a_loss(load):
    """A stand-in that returns what the released code does, in its order."""
    steps = load("gpu_steps")
    part, divisors = steps.on_device(steps.random_part(2, 64), torch.device("cpu"))
    classes = part.classes.shape[1]
    channels = {"classification": 0, "cam": 7, "saliency": 1, "refined_saliency": 1}
    channels |= {"segmentation": classes + 1, "refined_segmentation": classes + 1}
    weight = torch.ones((), requires_grad=True)

    def network(image, require_cam):
        maps = [torch.rand(2, count, 8, 8) * weight for count in channels.values()]
        return [torch.rand(2, classes) * weight, *maps[1:], torch.rand(2, 64, 64)]

    loss = steps.released_step(network, part, divisors)()
    loss.backward()
    assert torch.isfinite(loss) and weight.grad.abs() > 0
