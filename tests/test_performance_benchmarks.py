"""benchmarks/performance: the page shows what the tables hold, and the programs measure what they say, in small."""

import csv
from pathlib import Path

import numpy as np
import pytest

from auxseg.models import tiles

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
    assert all(row["seconds"] > 0 for row in rows)


def test_further_classes_are_unlikely_and_the_others_stay_in_order(load):
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (4, 5)).transpose(2, 0, 1).astype(np.float32)
    widened = load("crf_classes").widened(probabilities, 10, np.random.default_rng(1))
    assert widened.shape == (10, 4, 5)
    np.testing.assert_allclose(widened.sum(axis=0), 1, rtol=1e-5)
    assert widened[3:].max() <= 2.0**-7
    assert (widened[:3].argmax(axis=0) == probabilities.argmax(axis=0)).all()
