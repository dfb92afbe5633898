"""The equations of the method in float64 numpy, with loops where a library call could hide an axis or an order.

Written from the papers' equations, independently of the package: nothing here imports it. Feature maps are
(K, h, w), rows are (N, D) in raster order, affinities (N, N) with row i = the query position.
"""

import math

import numpy as np


def rows(maps):
    """(K, h, w) -> (N, K) in raster order."""
    channels, height, width = maps.shape
    out = np.zeros((height * width, channels))
    for y in range(height):
        for x in range(width):
            for k in range(channels):
                out[y * width + x, k] = maps[k, y, x]
    return out


def maps(rows_, height, width):
    """(N, K) -> (K, h, w)."""
    out = np.zeros((rows_.shape[1], height, width))
    for y in range(height):
        for x in range(width):
            out[:, y, x] = rows_[y * width + x]
    return out


def softmax(values):
    """Softmax of a sequence."""
    values = [float(value) for value in values]
    top = max(values)
    exponentials = [math.exp(value - top) for value in values]
    return np.array([e / sum(exponentials) for e in exponentials])


def sigmoid(value):
    """1 / (1 + e^-x), elementwise."""
    return 1 / (1 + np.exp(-np.asarray(value, np.float64)))


def conv(image, weight, bias=None, padding=0, dilation=1):
    """2-D convolution of (K, H, W) by (O, K, s, s), stride 1, zeros outside."""
    count, _, size, _ = weight.shape
    _, height, width = image.shape
    reach = dilation * (size - 1)
    out = np.zeros((count, height + 2 * padding - reach, width + 2 * padding - reach))
    for o in range(count):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                total = 0.0 if bias is None else bias[o]
                for i in range(size):
                    for j in range(size):
                        v, u = y - padding + i * dilation, x - padding + j * dilation
                        if 0 <= v < height and 0 <= u < width:
                            total += float(np.dot(weight[o, :, i, j], image[:, v, u]))
                out[o, y, x] = total
    return out


def pairwise(query, key, whiten, temperature):
    """softmax_row((Q - mean Q)(K - mean K)^T / temperature) of (N, D) rows."""
    count, channels = query.shape
    if whiten:
        query = np.array([[query[i, d] - sum(query[:, d]) / count for d in range(channels)] for i in range(count)])
        key = np.array([[key[i, d] - sum(key[:, d]) / count for d in range(channels)] for i in range(count)])
    out = np.zeros((count, count))
    for i in range(count):
        out[i] = softmax([sum(query[i, d] * key[j, d] for d in range(channels)) / temperature for j in range(count)])
    return out


def multiply(left, right):
    """Matrix product."""
    out = np.zeros((left.shape[0], right.shape[1]))
    for i in range(left.shape[0]):
        for j in range(right.shape[1]):
            out[i, j] = sum(left[i, k] * right[k, j] for k in range(left.shape[1]))
    return out


def fuse_tasks(segmentation, saliency, state, kernel, renormalise=False, scale=1.0):
    """A_CT of two (M, N) maps: conv, ReLU, 1x1 conv, softmax over the two tasks, weighted sum."""
    stacked = np.stack([segmentation, saliency])
    hidden = np.maximum(conv(stacked * scale, state["mix.weight"], padding=kernel // 2), 0)
    scores = conv(hidden, state["weigh.weight"], state["weigh.bias"])
    out = np.zeros_like(segmentation)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            weights = softmax(scores[:, i, j])
            out[i, j] = weights[0] * segmentation[i, j] + weights[1] * saliency[i, j]
    if renormalise:
        for i in range(out.shape[0]):
            out[i] = out[i] / sum(out[i])
    return out


def bilinear(image, height, width):
    """Resize (h, w) with pixel centres at half integers and edges repeated."""
    rows_, columns = image.shape
    out = np.zeros((height, width))
    for y in range(height):
        v = min(max((y + 0.5) * rows_ / height - 0.5, 0), rows_ - 1)
        top = min(math.floor(v), rows_ - 1)
        below, dy = min(top + 1, rows_ - 1), v - top
        for x in range(width):
            u = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            left = min(math.floor(u), columns - 1)
            right, dx = min(left + 1, columns - 1), u - left
            out[y, x] = (1 - dy) * ((1 - dx) * image[top, left] + dx * image[top, right]) + dy * (
                (1 - dx) * image[below, left] + dx * image[below, right]
            )
    return out


def state_of(module):
    """Parameters of a torch module as float64 arrays."""
    return {name: value.detach().double().numpy() for name, value in module.state_dict().items()}


def inner(state, prefix):
    """The part of a state below a prefix, without it."""
    return {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}


def task_affinity(features, state, *, plus, whiten, temperature):
    """docs/method.md section 1.4 for one image: refined features (D, h, w), A^p (N, N), a^u (1, N) or None."""
    _, height, width = features.shape

    def project(name):
        return rows(conv(features, state[f"{name}.weight"], state[f"{name}.bias"]))

    affinity = pairwise(project("query"), project("key"), whiten, temperature)
    unary, both = None, affinity
    if plus:
        unary = softmax(project("unary")[:, 0])[None]
        both = affinity + np.repeat(unary, len(affinity), axis=0)
    mixed = multiply(both, project("value"))
    return features + conv(maps(mixed, height, width), state["out.weight"], state["out.bias"]), affinity, unary
