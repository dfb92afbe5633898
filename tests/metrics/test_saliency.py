"""Saliency measures: against their formulas written out, and pooled over files as over images."""

import numpy as np
import pytest

from auxseg.metrics.saliency import FIGURES, SaliencyMeasures

SHAPE = (24, 32)


def pair(seed):
    """A mask with one object, and a noisy map of it."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, np.uint8)
    mask[5 : 15 + seed, 6:20] = 1 + seed
    saliency = np.clip(255.0 * (mask > 0) + rng.normal(0, 80, SHAPE), 0, 255).astype(np.uint8)
    return saliency, mask


def measured(*pairs):
    measures = SaliencyMeasures()
    for saliency, mask in pairs:
        measures.add(saliency, mask)
    return measures


@pytest.mark.parametrize("part", [np.s_[-1:, 4:20], np.s_[3:15, -1:], np.s_[-1:, -1:]])
def test_an_object_at_the_border_has_figures(part):
    """One image that has none would take the measure from the whole round."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[part] = 1
    assert np.isfinite(list(measured((pair(0)[0], mask), pair(1)).figures().values())).all()


def f_of(selected, foreground):
    hits = (selected & foreground).sum()
    if not hits:
        return 0.0
    precision, recall = hits / selected.sum(), hits / foreground.sum()
    return 1.3 * precision * recall / (0.3 * precision + recall)


def test_mae_and_f_by_their_formulas():
    saliency, mask = pair(0)
    stretched = (saliency - float(saliency.min())) / (float(saliency.max()) - saliency.min())
    foreground = mask > 0
    figures = measured((saliency, mask)).figures()
    assert tuple(figures) == FIGURES
    assert figures["mae"] == pytest.approx(np.abs(stretched - foreground).mean())
    levels = np.rint(stretched * 255)
    curve = [f_of(levels >= level, foreground) for level in range(256)]
    assert figures["max_f"] == pytest.approx(max(curve), abs=2e-3)  # it rounds the levels down
    assert figures["mean_f"] == pytest.approx(np.mean(curve), abs=5e-3)
    assert figures["adaptive_f"] == pytest.approx(f_of(stretched >= 2 * stretched.mean(), foreground))


def test_adaptive_e_by_its_formula():
    """Enhanced alignment (Fan et al. 2018, equations 3 to 5), of the map cut at twice its mean."""
    saliency, mask = pair(0)
    stretched = (saliency - float(saliency.min())) / (float(saliency.max()) - saliency.min())
    foreground, selected = (mask > 0).astype(float), (stretched >= 2 * stretched.mean()).astype(float)
    truth, guess = foreground - foreground.mean(), selected - selected.mean()
    alignment = 2 * truth * guess / (truth**2 + guess**2)
    expected = ((alignment + 1) ** 2 / 4).sum() / (mask.size - 1)
    assert measured((saliency, mask)).figures()["adaptive_e"] == pytest.approx(expected, abs=1e-9)


def test_s_by_its_formula():
    """Fan et al. 2017: half of objects, half of quadrants around the object's centre."""
    saliency, mask = pair(0)
    guess = (saliency - float(saliency.min())) / (float(saliency.max()) - saliency.min())
    truth = (mask > 0).astype(float)

    def object_score(values):
        return 2 * values.mean() / (values.mean() ** 2 + 1 + values.std(ddof=1))

    share = truth.mean()
    objects = share * object_score(guess[truth == 1]) + (1 - share) * object_score(1 - guess[truth == 0])
    y, x = (int(np.rint(where.mean())) + 1 for where in np.nonzero(truth))
    regions = 0.0
    for part in (np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]):
        a, b = guess[part], truth[part]
        covariance = np.cov(a.ravel(), b.ravel())
        above = 4 * a.mean() * b.mean() * covariance[0, 1]
        below = (a.mean() ** 2 + b.mean() ** 2) * (covariance[0, 0] + covariance[1, 1])
        similarity = above / below if above else float(below == 0)
        regions += similarity * a.size / guess.size
    assert measured((saliency, mask)).figures()["s"] == pytest.approx((objects + regions) / 2, abs=1e-3)


def test_a_perfect_map_is_perfect():
    _, mask = pair(1)
    figures = measured((np.where(mask > 0, 255, 0).astype(np.uint8), mask)).figures()
    assert figures["mae"] == 0
    assert [figures[name] for name in ("max_f", "adaptive_f", "s", "max_e")] == pytest.approx([1, 1, 1, 1], abs=5e-3)


def test_a_better_map_is_better():
    saliency, mask = pair(0)
    worse = np.random.default_rng(1).permutation(saliency.reshape(-1)).reshape(SHAPE)
    good, bad = measured((saliency, mask)).figures(), measured((worse, mask)).figures()
    assert good["mae"] < bad["mae"]
    assert all(good[name] > bad[name] for name in FIGURES if name != "mae")


def test_files_pool_as_images_do(tmp_path):
    pairs = [pair(seed) for seed in range(3)]
    measured(*pairs[:1]).write(tmp_path / "00.csv")
    measured(*pairs[1:]).write(tmp_path / "01.csv")
    measured().write(tmp_path / "02.csv")
    pooled = SaliencyMeasures.read(sorted(tmp_path.iterdir()))
    assert pooled.images == 3
    assert pooled.figures() == pytest.approx(measured(*pairs).figures(), rel=1e-12)
    one_by_one = [measured(one).figures() for one in pairs]
    for name in ("mae", "s", "adaptive_f", "adaptive_e", "mean_f", "mean_e"):
        assert pooled.figures()[name] == pytest.approx(np.mean([figures[name] for figures in one_by_one]))


def test_pixels_without_truth_count_as_background():
    saliency, mask = pair(0)
    unknown = mask.copy()
    unknown[20:] = 255
    blank, quiet = mask.copy(), saliency.copy()
    blank[20:], quiet[20:] = 0, 0
    assert measured((saliency, unknown)).figures() == measured((quiet, blank)).figures()


def test_an_image_without_foreground_is_left_out(tmp_path):
    saliency, mask = pair(0)
    empty = np.where(mask > 0, 255, 0).astype(np.uint8)
    measures = measured((saliency, empty), (saliency, np.zeros_like(mask)))
    assert (measures.images, measures.figures()) == (0, {})
    measures.write(tmp_path / "00.csv")
    assert (tmp_path / "00.csv").read_text() == "measure,level,images,sum\n"
    assert SaliencyMeasures.read([tmp_path / "00.csv"]).figures() == {}
