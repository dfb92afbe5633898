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


def task_affinity(features, state, *, plus, whiten, temperature, features_with="sum"):
    """docs/method.md section 1.4 for one image: refined features (D, h, w), A^p (N, N), a^u (1, N) or None."""
    _, height, width = features.shape

    def project(name):
        return rows(conv(features, state[f"{name}.weight"], state[f"{name}.bias"]))

    affinity = pairwise(project("query"), project("key"), whiten, temperature)
    unary, used = None, affinity
    if plus:
        unary = softmax(project("unary")[:, 0])[None]
        repeated = np.repeat(unary, len(affinity), axis=0)
        used = {"pairwise": affinity, "unary": repeated, "sum": affinity + repeated}[features_with]
    mixed = multiply(used, project("value"))
    return features + conv(maps(mixed, height, width), state["out.weight"], state["out.bias"]), affinity, unary


def branch(features, state, rates, **affinity):
    """Sections 1.3 to 1.5 for one image: logits, A^p, a^u (both None where the branch has no affinity)."""
    for name, rate in (("reduce", rates[0]), ("context", rates[1])):
        features = np.maximum(conv(features, state[f"{name}.weight"], state[f"{name}.bias"], rate, rate), 0)
    pairwise_, unary = None, None
    if "affinity.query.weight" in state:
        features, pairwise_, unary = task_affinity(features, inner(state, "affinity."), **affinity)
    features = np.maximum(conv(features, state["fuse.weight"], state["fuse.bias"], rates[2], rates[2]), 0)
    return conv(features, state["predict.weight"]), pairwise_, unary


def refine(prediction, pairwise_, unary, *, refine_with="sum", transpose=False):
    """P' of section 1.7; without an affinity P itself."""
    if pairwise_ is None:
        return prediction
    matrix = pairwise_.T if transpose else pairwise_
    if unary is not None:
        repeated = np.repeat(unary, len(matrix), axis=0)
        matrix = {
            "pairwise": matrix,
            "unary": np.eye(len(matrix)) + repeated,
            "sum": matrix + repeated,
            "mean": (matrix + repeated) / 2,
        }[refine_with]
    return maps(multiply(matrix, rows(prediction)), *prediction.shape[1:])


def network(image, state, values, channels=8):
    """docs/method.md section 1 for one image (3, H, W) in 0..255 and the tiny backbone: every output, and the CAM.

    `values` are keys of params.yaml's section `network` that differ from their defaults.
    """
    features = patches(image / 255, state["backbone.body.weight"], state["backbone.body.bias"])
    plus, mode = values.get("variant", "auxsegnet_plus") == "auxsegnet_plus", values.get("affinity", "cross_task")
    temperature = values.get("tau", 1.0) if plus else 1.0
    options = {
        "plus": plus,
        "whiten": plus and values.get("whiten", True),
        "temperature": temperature * math.sqrt(channels) if values.get("scale_dim") else temperature,
        "features_with": values.get("features_with", "sum"),
    }
    rates = values.get("rates", (6, 12, 18))
    saliency, sal_pairwise, sal_unary = branch(features, inner(state, "saliency."), rates, **options)
    segmentation, pairwise_, unary = branch(features, inner(state, "segmentation."), rates, **options)
    if mode.startswith("cross_task"):
        cross = {"kernel": 1, "renormalise": True, "scale": "one", **values.get("cross_task", {})}
        cross["scale"] = pairwise_.shape[1] if cross["scale"] == "positions" else 1
        pairwise_ = fuse_tasks(pairwise_, sal_pairwise, inner(state, "cross_pairwise."), **cross)
        if plus:
            unary = fuse_tasks(unary, sal_unary, inner(state, "cross_unary."), **cross)
    how = {"refine_with": values.get("refine_with", "sum"), "transpose": values.get("transpose", False)}
    raw = conv(features, state["classification.linear.weight"][:, :, None, None])
    cam = np.stack([np.maximum(c, 0) / (np.maximum(c, 0).max() + 1e-5) for c in raw])
    return {
        "classification": np.array([c.sum() / c.size for c in raw]),
        "saliency": saliency,
        "segmentation": segmentation,
        "refined_saliency": refine(saliency, pairwise_, unary, **how) if mode == "cross_task" else saliency,
        "refined_segmentation": refine(segmentation, pairwise_, unary, **how),
        "pairwise": pairwise_,
        "unary": unary,
        "features": features,
        "decoded": None,
        "cam": refine(cam, pairwise_, None, transpose=how["transpose"]),
    }


def patches(image, weight, bias):
    """A convolution whose stride is its size: (K, H, W) by (O, K, s, s)."""
    size = weight.shape[-1]
    out = np.zeros((len(weight), image.shape[1] // size, image.shape[2] // size))
    for y in range(out.shape[1]):
        for x in range(out.shape[2]):
            patch = image[:, size * y : size * (y + 1), size * x : size * (x + 1)]
            out[:, y, x] = [np.sum(w * patch) + b for w, b in zip(weight, bias, strict=True)]
    return out
