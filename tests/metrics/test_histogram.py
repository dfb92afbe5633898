"""Histograms that are pooled over files."""

import numpy as np

from auxseg.metrics.histogram import BINS, Histograms


def test_by_hand(tmp_path):
    histograms = Histograms()
    histograms.add("cam", np.array([[0.0, 0.049], [0.0625, 1.0]], np.float16))
    histograms.add("cam", np.array([1.25, -0.5]))
    histograms.add("confidence", np.array([0.5]))
    assert histograms.counts["cam"].tolist() == [3, 1, *[0] * (BINS - 3), 2]
    histograms.write(tmp_path / "00.csv")
    histograms.write(tmp_path / "01.csv")
    Histograms().write(tmp_path / "02.csv")
    pooled = Histograms.read(sorted(tmp_path.iterdir()))
    assert pooled.counts["cam"].tolist() == [6, 2, *[0] * (BINS - 3), 4]
    rows = pooled.rows("r1")
    assert len(rows) == 2 * BINS
    assert rows[0] == {"round": "r1", "measure": "cam", "lower": 0.0, "upper": 0.05, "count": 6, "share": 50.0}
    assert rows[BINS + 10]["count"] == 2 and rows[BINS + 10]["lower"] == 0.5
    assert Histograms.read([tmp_path / "02.csv"]).rows("r1") == []
