"""Provider `boundary`: robust background detection (RBD), a classical prior without weights.

Zhu, Liang, Wei, Sun: Saliency Optimization from Robust Background Detection, CVPR 2014. A region that touches
the image border along much of its outline is background; contrast to such regions makes a region salient.
Equation numbers are the paper's. Where the authors' released code differs from the text, the code is
followed: both colour sigmas estimated from the image, colour distances below a noise floor taken as 0,
spatial sigma 0.4, Otsu's threshold on the contrast, weight 1000 for certain background, background term
times 5. Their removal of artificial frames around images is left out.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import spsolve
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from skimage.segmentation import slic

from auxseg.datasets.manifest import ImageRecord

WORKING_SIDE = 320
"""Larger images are reduced to this longest side, because superpixels are coarser than pixels anyway."""

COMPACTNESS = 20.0  # SLIC's weight of position against colour in Lab units, as in the authors' code
SIGMA_BNDCON = 1.0  # eq. 8
SIGMA_SPATIAL = 0.4  # eq. 6, in image sides (text: 0.25)
MU = 0.1  # eq. 10
BACKGROUND_TERM = 5.0
CERTAIN_BNDCON, CERTAIN_WEIGHT = 3.0, 1000.0


@dataclass(frozen=True)
class Boundary:
    """Robust background detection with about `superpixels` regions per image."""

    superpixels: int = 200
    in_processes = True

    def __call__(self, record: ImageRecord, rgb: np.ndarray) -> np.ndarray:
        """Return S, float32 (H, W) in [0, 1], of an image, RGB uint8 (H, W, 3)."""
        return rbd(rgb, self.superpixels)


@dataclass(frozen=True)
class Regions:
    """The N superpixels of an image, with the quantities that the equations use."""

    labels: np.ndarray
    """int (h, w) in 0..N-1."""
    colour: np.ndarray
    """Mean Lab, float64 (N, 3)."""
    position: np.ndarray
    """Mean y / h and x / w, float64 (N, 2)."""
    adjacent: np.ndarray
    """Which superpixels touch by side or corner, bool (N, N), symmetric, True on the diagonal."""
    border: np.ndarray
    """Which superpixels touch the image border, bool (N,)."""


def rbd(rgb: np.ndarray, superpixels: int) -> np.ndarray:
    """Return the saliency of an image, RGB uint8 (H, W, 3), as float32 (H, W) from 0 to 1.

    All values are 0 if no region stands out (a uniform image).
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, WORKING_SIDE / max(height, width))
    small = Image.fromarray(rgb)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = small.resize(size, Image.Resampling.BOX)
    regions = find_regions(np.asarray(small), superpixels)
    values = scale(region_saliency(regions)).astype(np.float32)[regions.labels]
    if factor < 1:
        values = np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))
    return np.clip(values, 0.0, 1.0)


def find_regions(rgb: np.ndarray, superpixels: int) -> Regions:
    """Divide an image, RGB uint8 (h, w, 3), into about `superpixels` SLIC superpixels and describe them."""
    height, width = rgb.shape[:2]
    lab = rgb2lab(rgb)
    spread = lab.max() - lab.min()
    count = max(1, min(superpixels, height * width // 16))  # at least 4x4 pixels per superpixel
    # slic stretches its input to [0, 1]; dividing by the same spread keeps the compactness in Lab units
    labels = slic(lab, count, COMPACTNESS / max(spread, 1e-6), convert2lab=False, start_label=0)
    _, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(height, width)

    flat = labels.ravel()
    sizes = np.bincount(flat)
    rows, columns = np.mgrid[:height, :width]

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(flat, values.ravel()) / sizes

    border = np.zeros(len(sizes), bool)
    border[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return Regions(
        labels,
        np.stack([mean(lab[..., channel]) for channel in range(3)], axis=1),
        np.stack([mean(rows / height), mean(columns / width)], axis=1),
        adjacency(labels),
        border,
    )


def adjacency(labels: np.ndarray) -> np.ndarray:
    """Return which regions of a label map, int (h, w), touch by side or corner, as `Regions.adjacent`."""
    adjacent = np.eye(labels.max() + 1, dtype=bool)
    for one, other in (
        (labels[:, :-1], labels[:, 1:]),
        (labels[:-1], labels[1:]),
        (labels[:-1, :-1], labels[1:, 1:]),
        (labels[:-1, 1:], labels[1:, :-1]),
    ):
        adjacent[one, other] = True
    return adjacent | adjacent.T


def region_saliency(regions: Regions) -> np.ndarray:
    """Return the saliency of each region, float64 (N,), not yet scaled."""
    if len(regions.border) == 1:
        return np.zeros(1)
    appearance = distances(regions.colour)
    noise, sigma_geo, sigma_smooth = adaptive_sigmas(regions.adjacent, appearance)
    linked = regions.adjacent | np.outer(regions.border, regions.border)
    geodesic = geodesic_distances(linked, np.maximum(appearance - noise, 0))
    connectivity = boundary_connectivity(geodesic, regions.border, sigma_geo)
    probability = background_probability(connectivity)
    contrast = scale(weighted_contrast(appearance, distances(regions.position), probability))
    foreground = np.where(contrast < threshold_otsu(contrast), 0, contrast)
    background = np.where(connectivity > CERTAIN_BNDCON, CERTAIN_WEIGHT, probability)
    smoothness = smoothness_weights(regions.adjacent, regions.border, appearance, sigma_smooth)
    return optimise(BACKGROUND_TERM * background, foreground, smoothness)


def scale(values: np.ndarray) -> np.ndarray:
    """Return values mapped to [0, 1] by minimum and maximum; all 0 if they are (nearly) the same."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high - low > 1e-9 else np.zeros_like(values)


def distances(points: np.ndarray) -> np.ndarray:
    """Return Euclidean distances, float64 (N, N), of rows of `points` (N, D): for d_app and d_spa."""
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def similarity(distance: np.ndarray, sigma: float) -> np.ndarray:
    """Return exp(-d^2 / (2 sigma^2)), the form of all weights in the paper (eqs. 3, 6, 10).

    With sigma = 0 the result is 1 for d = 0 and 0 otherwise.
    """
    return np.exp(-(distance**2) / max(2 * sigma**2, 1e-12))


def adaptive_sigmas(adjacent: np.ndarray, appearance: np.ndarray) -> tuple[float, float, float]:
    """Return noise floor, sigma of eq. 3 and sigma of eq. 10, in Lab units, estimated as in the authors' code.

    m is the mean over regions of the distance to the most similar neighbour, t_q the mean
    of the largest share q of all distances. noise = m; sigma_geo = max(5, min(10, 3 m, t_0.01 / 10));
    sigma_smooth = min(20, 3 m, t_0.05 / 5).
    """
    neighbours = adjacent & ~np.eye(len(adjacent), dtype=bool)
    nearest = np.where(neighbours, appearance, np.inf).min(axis=1)
    noise = float(nearest[np.isfinite(nearest)].mean())
    pairs = np.sort(appearance[np.tril_indices(len(appearance), -1)])[::-1]

    def top(share: float) -> float:
        return float(pairs[: max(1, round(share * len(pairs)))].mean())

    return noise, max(5.0, min(10.0, 3 * noise, top(0.01) / 10)), min(20.0, 3 * noise, top(0.05) / 5)


def geodesic_distances(linked: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return d_geo, float64 (N, N): the least sum of `edges` (N, N) on a path over `linked` (N, N), eq. 2."""
    rows, columns = np.nonzero(linked)
    # built from the three arrays, because a dense matrix would lose edges of cost 0
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(linked)))])
    return dijkstra(csr_array((edges[rows, columns], columns, pointers), shape=linked.shape), directed=True)


def boundary_connectivity(geodesic: np.ndarray, border: np.ndarray, sigma: float) -> np.ndarray:
    """Return BndCon = Len_bnd / sqrt(Area), float64 (N,) (eqs. 3-5).

    Area(p) = sum_i exp(-d_geo(p, i)^2 / (2 sigma^2)); Len_bnd is the same sum over border regions only.
    """
    shared = similarity(geodesic, sigma)
    return shared[:, border].sum(axis=1) / np.sqrt(shared.sum(axis=1))


def background_probability(connectivity: np.ndarray) -> np.ndarray:
    """Return w_bg = 1 - exp(-BndCon^2 / (2 sigma_bndcon^2)), in [0, 1] (eq. 8)."""
    return 1 - similarity(connectivity, SIGMA_BNDCON)


def weighted_contrast(appearance: np.ndarray, spatial: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return wCtr(p) = sum_i d_app(p, i) w_spa(p, i) w_bg(i), float64 (N,) (eqs. 6, 7)."""
    return (appearance * similarity(spatial, SIGMA_SPATIAL) * probability).sum(axis=1)


def smoothness_weights(adjacent: np.ndarray, border: np.ndarray, appearance: np.ndarray, sigma: float) -> np.ndarray:
    """Return w_ij = exp(-d_app^2 / (2 sigma^2)) + mu, float64 (N, N), 0 on the diagonal (eq. 10).

    As in the authors' code, the first term connects neighbours, neighbours of neighbours and all border regions; mu
    connects neighbours only.
    """
    first = adjacent.astype(np.float32)
    near = (first @ first > 0) | np.outer(border, border)
    weights = np.where(near, similarity(appearance, sigma), 0) + MU * adjacent
    np.fill_diagonal(weights, 0)
    return weights


def optimise(background: np.ndarray, foreground: np.ndarray, smoothness: np.ndarray) -> np.ndarray:
    """Return the s, float64 (N,), that minimises eq. 9, by its normal equations.

    sum_i bg_i s_i^2 + sum_i fg_i (s_i - 1)^2 + sum_{i<j} w_ij (s_i - s_j)^2
    is smallest where (diag(sum_j w_ij) - W + diag(bg) + diag(fg)) s = fg.
    """
    diagonal = smoothness.sum(axis=1) + background + foreground
    # without the constant, a region without any term (nothing near the border, nothing salient) makes it singular
    system = np.diag(diagonal + 1e-12) - smoothness
    return spsolve(csc_array(system), foreground)
