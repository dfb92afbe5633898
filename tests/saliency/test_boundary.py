"""Robust background detection: each equation against loops on a small graph, the whole on drawn pictures."""

import numpy as np
import pytest

from auxseg.saliency import boundary

RNG = np.random.default_rng(7)
NODES = 12


@pytest.fixture
def graph():
    """Twelve regions: Lab colours, places, a ring with chords as adjacency, five of them on the border."""
    colour = RNG.uniform(-40, 60, (NODES, 3))
    place = RNG.uniform(0, 1, (NODES, 2))
    adjacent = np.eye(NODES, dtype=bool)
    for node in range(NODES):
        for other in (node + 1, node + 5):
            adjacent[node, other % NODES] = adjacent[other % NODES, node] = node % 3 == 0 or other == node + 1
    border = np.arange(NODES) < 5
    return colour, place, adjacent, border


def loop_distances(points):
    return np.array([[np.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True))) for q in points] for p in points])


def test_distances(graph):
    np.testing.assert_allclose(boundary.distances(graph[0]), loop_distances(graph[0]), rtol=1e-12)


def test_geodesic_is_floyd_warshall(graph):
    colour, _, adjacent, _ = graph
    # a third of the edges cost nothing, as neighbours below the noise floor do: they must stay edges
    edges = np.maximum(loop_distances(colour) - 45, 0)
    assert (edges[adjacent & ~np.eye(NODES, dtype=bool)] == 0).any()
    expected = np.where(adjacent, edges, np.inf)
    np.fill_diagonal(expected, 0)
    for via in range(NODES):
        for one in range(NODES):
            for other in range(NODES):
                expected[one, other] = min(expected[one, other], expected[one, via] + expected[via, other])
    np.testing.assert_allclose(boundary.geodesic_distances(adjacent, edges), expected, atol=1e-9)


def test_boundary_connectivity_and_background_probability(graph):
    geodesic, border, sigma = loop_distances(graph[0]), graph[3], 25.0
    found = boundary.boundary_connectivity(geodesic, border, sigma)
    probability = boundary.background_probability(found)
    for p in range(NODES):
        area = sum(np.exp(-(geodesic[p, i] ** 2) / (2 * sigma**2)) for i in range(NODES))
        length = sum(np.exp(-(geodesic[p, i] ** 2) / (2 * sigma**2)) for i in range(NODES) if border[i])
        assert found[p] == pytest.approx(length / area**0.5, rel=1e-12)
        assert probability[p] == pytest.approx(1 - np.exp(-(length**2 / area) / 2), rel=1e-12)


def test_boundary_connectivity_of_the_definition():
    # eq. 1: perimeter on the border / sqrt(area). Two groups so far apart that each counts as one region.
    far = np.full((10, 10), 1e6)
    far[:4, :4] = far[4:, 4:] = 0
    border = np.zeros(10, bool)
    border[:2] = True
    found = boundary.boundary_connectivity(far, border, 10.0)
    np.testing.assert_allclose(found, [2 / 4**0.5] * 4 + [0] * 6)


def test_weighted_contrast(graph):
    colour, place, _, _ = graph
    probability = RNG.uniform(0, 1, NODES)
    found = boundary.weighted_contrast(boundary.distances(colour), boundary.distances(place), probability)
    appearance, spatial = loop_distances(colour), loop_distances(place)
    for p in range(NODES):
        expected = sum(
            appearance[p, i] * np.exp(-(spatial[p, i] ** 2) / (2 * 0.4**2)) * probability[i] for i in range(NODES)
        )
        assert found[p] == pytest.approx(expected, rel=1e-12)


def test_adaptive_sigmas(graph):
    colour, _, adjacent, _ = graph
    colour = colour / 4  # small enough that neither sigma is at its limit of 20
    appearance = loop_distances(colour)
    nearest = [min(appearance[i, j] for j in range(NODES) if j != i and adjacent[i, j]) for i in range(NODES)]
    pairs = sorted((appearance[i, j] for i in range(NODES) for j in range(i)), reverse=True)
    noise, sigma_geo, sigma_smooth = boundary.adaptive_sigmas(adjacent, appearance)
    mean = sum(nearest) / NODES
    assert noise == pytest.approx(mean)
    assert sigma_geo == pytest.approx(max(5, min(10, 3 * mean, pairs[0] / 10)))  # 1 % of 66 pairs: one
    assert sigma_smooth == pytest.approx(min(20, 3 * mean, sum(pairs[:3]) / 3 / 5))  # 5 %: three


def test_smoothness_weights(graph):
    colour, _, adjacent, border = graph
    appearance, sigma = loop_distances(colour), 18.0
    found = boundary.smoothness_weights(adjacent, border, appearance, sigma)
    for i in range(NODES):
        for j in range(NODES):
            second = any(adjacent[i, k] and adjacent[k, j] for k in range(NODES))
            near = adjacent[i, j] or second or (border[i] and border[j])
            expected = np.exp(-(appearance[i, j] ** 2) / (2 * sigma**2)) * near + 0.1 * adjacent[i, j]
            assert found[i, j] == pytest.approx(0 if i == j else expected, rel=1e-12)


def test_optimise_is_the_dense_minimum(graph):
    background, foreground = RNG.uniform(0, 5, NODES), RNG.uniform(0, 1, NODES)
    weights = boundary.smoothness_weights(graph[2], graph[3], loop_distances(graph[0]), 18.0)
    found = boundary.optimise(background, foreground, weights)

    # eq. 9 as plain least squares: one row a term
    rows, targets = [], []
    for i in range(NODES):
        unit = np.eye(NODES)[i]
        rows += [background[i] ** 0.5 * unit, foreground[i] ** 0.5 * unit]
        targets += [0, foreground[i] ** 0.5]
        for j in range(i):
            rows.append(weights[i, j] ** 0.5 * (unit - np.eye(NODES)[j]))
            targets.append(0)
    expected = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found.min() > 0 and found.max() < 1


def test_adjacency_counts_corners():
    labels = np.array([[0, 0, 1], [0, 2, 1], [3, 3, 4]])
    found = boundary.adjacency(labels)
    touching = {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)}
    assert {(i, j) for i in range(5) for j in range(i + 1, 5) if found[i, j]} == touching
    assert (found == found.T).all() and found.diagonal().all()


def test_regions_describe_the_picture():
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:, 30:] = 255
    regions = boundary.find_regions(rgb, 24)
    count = len(regions.border)
    assert 12 <= count <= 48
    assert (np.unique(regions.labels) == np.arange(count)).all()
    for index in range(count):
        rows, columns = np.nonzero(regions.labels == index)
        assert regions.position[index] == pytest.approx([rows.mean() / 40, columns.mean() / 60])
        white = rgb[rows, columns, 0].mean() / 255
        assert regions.colour[index] == pytest.approx([100 * white, 0, 0], abs=0.02)
        touches = rows.min() == 0 or rows.max() == 39 or columns.min() == 0 or columns.max() == 59
        assert regions.border[index] == touches


def disk(height, width, centre, radius):
    rows, columns = np.mgrid[:height, :width]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2


def noisy(mask, seed=0):
    """A bright disk on dark noise, RGB uint8."""
    noise = np.random.default_rng(seed).normal(0, 12, (*mask.shape, 3))
    return np.clip(np.where(mask[..., None], [200, 170, 60], [40, 50, 45]) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(120, 160), (160, 120), (700, 520)])
def test_disk_stands_out(shape):
    mask = disk(*shape, (shape[0] * 0.45, shape[1] * 0.55), min(shape) * 0.25)
    found = boundary.rbd(noisy(mask), 200)
    assert found.shape == shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert found[mask].mean() > 0.9
    assert found[~mask].mean() < 0.05
    # a superpixel of the smallest picture is 10 pixels wide, its disk 60
    assert ((found > 0.5) & mask).sum() / ((found > 0.5) | mask).sum() > 0.85


def test_a_border_region_is_background_whatever_its_colour():
    # the same bright colour as a strip along the bottom and as a disk: only the disk is an object
    mask = disk(120, 160, (50, 80), 26)
    strip = np.zeros_like(mask)
    strip[95:] = True
    # of two bright things, what touches the border along its length loses
    found = boundary.rbd(noisy(mask | strip), 200)
    assert found[mask].mean() > 0.9
    assert found[strip].mean() < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 16), (1, 200)])
def test_even_and_tiny_pictures_have_nothing_salient(shape):
    found = boundary.rbd(np.full((*shape, 3), 90, np.uint8), 200)
    assert found.shape == shape and (found == 0).all()


def test_deterministic_and_blind_to_the_record():
    rgb = noisy(disk(90, 110, (40, 60), 20))
    provider = boundary.Boundary(150)
    assert provider(None, rgb).tobytes() == provider(None, rgb.copy()).tobytes()
