"""The fully connected CRF: unaries against the formula, laws, and what it is for: edges."""

import numpy as np
import pydensecrf.densecrf as densecrf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxseg.crf import class_crf, saliency_crf
from auxseg.maps import strongest, upsample
from auxseg.params.crf import CLASS_CRF, CrfParams

ALONE = CrfParams(iterations=1, gaussian_compat=0.0, bilateral_compat=0.0)
"""Without pairwise terms mean field gives softmax(-unary)."""


def picture(height=12, width=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(st.integers(0, 50))
def test_saliency_unary(seed):
    saliency = np.random.default_rng(seed).random((6, 7))
    found = saliency_crf(picture(6, 7), saliency, ALONE)
    for y in range(6):
        for x in range(7):
            energies = []
            for p in (1 - saliency[y, x], saliency[y, x]):
                energies.append(-np.log(p) / (1.05 * (1 / (1 + np.exp(-p)))))
            weights = np.exp(-np.array(energies))
            assert found[y, x] == pytest.approx(weights[1] / weights.sum(), abs=1e-4)


def test_saliency_of_exactly_0_and_1_stays():
    saliency = np.array([[0.0, 1.0, 0.5]])
    np.testing.assert_allclose(saliency_crf(picture(1, 3), saliency, ALONE), [[0, 1, 0.5]], atol=1e-5)


def test_every_parameter_reaches_its_own_kernel():
    """Against the library called by hand, with five unlike values; and each of them matters."""
    params = CrfParams(
        iterations=2,
        gaussian_sxy=1.5,
        gaussian_compat=2.0,
        bilateral_sxy=7.0,
        bilateral_srgb=40.0,
        bilateral_compat=4.0,
    )
    image, probabilities = picture(), np.random.default_rng(1).dirichlet([1, 1, 1], (12, 16)).transpose(2, 0, 1)
    crf = densecrf.DenseCRF2D(16, 12, 3)
    crf.setUnaryEnergy(-np.log(probabilities.clip(1e-5, 1)).reshape(3, -1).astype(np.float32, order="C"))
    crf.addPairwiseGaussian(sxy=1.5, compat=2.0)
    crf.addPairwiseBilateral(sxy=7.0, srgb=40.0, rgbim=image.copy(), compat=4.0)
    expected = np.array(crf.inference(2)).reshape(3, 12, 16)
    np.testing.assert_allclose(class_crf(image, probabilities, params), expected, atol=1e-5)
    for name, value in params:
        changed = params.model_copy(update={name: 2 * value})
        assert np.abs(class_crf(image, probabilities, changed) - expected).max() > 1e-3, name


@given(st.integers(0, 50))
def test_class_unary(seed):
    probabilities = np.random.default_rng(seed).dirichlet([1, 1, 1, 1], (6, 7)).transpose(2, 0, 1)
    np.testing.assert_allclose(class_crf(picture(6, 7), probabilities, ALONE), probabilities, atol=1e-3)


def test_no_iterations_leave_the_input():
    none = CrfParams(iterations=0)
    saliency = np.random.default_rng(0).random((12, 16)).astype(np.float32)
    assert (saliency_crf(picture(), saliency, none) == saliency).all()
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (12, 16)).transpose(2, 0, 1).astype(np.float32)
    assert (class_crf(picture(), probabilities, none) == probabilities).all()


@pytest.fixture
def two_colours():
    """Left 16 columns red, right 16 blue; a ramp that crosses one half four columns beside the edge."""
    image = np.zeros((24, 32, 3), np.uint8)
    image[:, :16, 0] = image[:, 16:, 2] = 220
    ramp = np.tile(np.clip((np.arange(32) - 19.5) / 20 + 0.5, 0.02, 0.98), (24, 1)).astype(np.float32)
    return image, ramp


def test_saliency_snaps_to_the_edge_of_colour(two_colours):
    image, ramp = two_colours
    right = np.arange(32) >= 16
    assert ((ramp > 0.5) != right).any()
    params = CrfParams(
        iterations=5,
        gaussian_sxy=3.0,
        gaussian_compat=3.0,
        bilateral_sxy=60.0,
        bilateral_srgb=5.0,
        bilateral_compat=5.0,
    )
    assert ((saliency_crf(image, ramp, params) > 0.5) == right).all()
    grey = np.full_like(image, 128)
    assert ((saliency_crf(grey, ramp, params) > 0.5) != right).any()  # it was the colour


def test_classes_snap_to_the_edge_of_colour(two_colours):
    image, ramp = two_colours
    found = class_crf(image, np.stack([1 - ramp, ramp]), CrfParams())
    assert ((found[1] > 0.5) == (np.arange(32) >= 16)).all()


@given(st.integers(1, 5), st.integers(0, 20))
def test_class_probabilities_add_to_one(iterations, seed):
    probabilities = np.random.default_rng(seed).dirichlet([0.2] * 4, (12, 16)).transpose(2, 0, 1)
    found = class_crf(picture(), probabilities, CrfParams(iterations=iterations))
    assert (found.shape, found.dtype) == ((4, 12, 16), np.float32)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_the_same_result_every_time():
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (12, 16)).transpose(2, 0, 1)
    runs = [class_crf(picture(), probabilities, CrfParams()) for _ in range(3)]
    assert all((run == runs[0]).all() for run in runs)


def test_width_and_height_are_not_swapped():
    """A salient column of a narrow picture stays a column."""
    image = np.zeros((40, 10, 3), np.uint8)
    image[:, 6:] = 255
    saliency = np.full((40, 10), 0.1)
    saliency[:, 6:] = 0.9
    assert ((saliency_crf(image, saliency, CrfParams()) > 0.5) == (saliency > 0.5)).all()


def test_a_view_of_an_image_is_accepted():
    image, saliency = picture(), np.random.default_rng(0).random((12, 16))
    turned = image[:, ::-1]
    again = saliency_crf(np.ascontiguousarray(turned), saliency, CrfParams())
    assert (saliency_crf(turned, saliency, CrfParams()) == again).all()


def test_a_read_only_image_is_accepted():
    """Pillow hands out arrays that cannot be written."""
    image, saliency = picture(), np.random.default_rng(0).random((12, 16))
    wanted = saliency_crf(image, saliency, CrfParams())
    image.flags.writeable = False
    assert (saliency_crf(image, saliency, CrfParams()) == wanted).all()


def halved(image):
    height, width = image.shape[:2]
    return image.reshape(height // 2, 2, width // 2, 2, -1).mean(axis=(1, 3)).round().astype(np.uint8)


def test_a_grid_is_the_crf_of_the_reduced_image_with_narrower_kernels():
    """Against the CRF of a picture that was halved by hand, with half the kernels' widths."""
    blocks = picture(24, 32).repeat(2, axis=0).repeat(2, axis=1)  # 48 x 64; halving it loses nothing
    probabilities = np.random.default_rng(1).dirichlet([1, 1, 1], (24, 32)).transpose(2, 0, 1)
    narrow = CrfParams(gaussian_sxy=2.0, bilateral_sxy=41.5)
    wanted = class_crf(halved(blocks), probabilities, narrow)
    np.testing.assert_allclose(class_crf(blocks, probabilities, CrfParams(), side=32), wanted, atol=1e-5)
    found = saliency_crf(blocks, probabilities[1].repeat(2, axis=0).repeat(2, axis=1), CrfParams(), side=32)
    small = saliency_crf(halved(blocks), probabilities[1], narrow)
    assert (found.shape, found.dtype) == ((48, 64), np.float32)
    np.testing.assert_allclose(found, upsample(small[None], 48, 64)[0], atol=1e-5)


@pytest.mark.parametrize("side", [None, 16, 17, 1024])
def test_an_image_within_the_grid_stays_at_its_own_size(side):
    image, saliency = picture(), np.random.default_rng(0).random((12, 16))
    probabilities = np.stack([1 - saliency, saliency])
    assert (saliency_crf(image, saliency, CrfParams(), side) == saliency_crf(image, saliency, CrfParams())).all()
    assert (class_crf(image, probabilities, CrfParams(), side) == class_crf(image, probabilities, CrfParams())).all()


def test_maps_of_a_network_are_enlarged_to_the_image():
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (6, 8)).transpose(2, 0, 1)
    wanted = class_crf(picture(), upsample(probabilities, 12, 16), CrfParams())
    assert (class_crf(picture(), probabilities, CrfParams()) == wanted).all()


@given(st.integers(1, 80), st.integers(1, 80), st.integers(8, 40))
def test_the_grids_sides(height, width, side):
    found = class_crf(picture(height, width), np.full((2, height, width), 0.5), CrfParams(iterations=1), side)
    assert max(found.shape[1:]) == min(max(height, width), side)
    factor = min(1, side / max(height, width))
    assert np.abs(np.array(found.shape[1:]) - np.array([height, width]) * factor).max() <= 1


def likely(height=12, width=16):
    """Probabilities of four classes; the second and the last reach 0.04 and 0.004 nowhere."""
    first, second, last = np.random.default_rng(2).random((3, height, width)) * [[[0.9]], [[0.03]], [[0.003]]]
    return np.stack([first, second, 1 - first - second - last, last]).astype(np.float32)


@pytest.mark.parametrize(("least", "kept"), [(0.0, [0, 1, 2, 3]), (0.01, [0, 1, 2]), (0.1, [0, 2])])
def test_unlikely_classes_take_no_part(least, kept):
    probabilities = likely()
    assert [index for index in range(4) if probabilities[index].max() >= least] == kept
    found = class_crf(picture(), probabilities, CLASS_CRF, least=least)
    assert found.shape == (4, 12, 16)
    np.testing.assert_array_equal(found[kept], class_crf(picture(), probabilities[kept], CLASS_CRF))
    assert not found[[index for index in range(4) if index not in kept]].any()


def test_the_likeliest_class_always_takes_part():
    probabilities = np.full((5, 6, 7), 0.2, np.float32)
    probabilities[3] += 0.01
    found = class_crf(picture(6, 7), probabilities, CLASS_CRF, least=1.0)
    assert (strongest(found, 6, 7) == 3).all()


def test_an_unlikely_class_changes_next_to_nothing():
    probabilities = likely()
    every, some = (class_crf(picture(), probabilities, CLASS_CRF, least=least) for least in (0.0, 0.01))
    assert (strongest(every, 12, 16) != strongest(some, 12, 16)).mean() < 0.01
