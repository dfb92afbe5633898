"""Valid images, archives, arrays and weights, which `test_fuzz` changes."""

import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rows_images
import rows_pickles
import tifffile
import torch
from mxnet_file import file_bytes
from PIL import Image
from saliency.test_onnx_network import network
from scipy.io import savemat

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tensors import write_tensors
from auxseg.encoded import encode_grey, encode_label
from auxseg.external.npy import write_npy_cams

LABEL = np.array([[0, 1, 1, 2], [0, 1, 255, 2], [0, 0, 0, 0]], np.uint8)


def written(name: str, write: Callable[[Path], Any]) -> bytes:
    """Return the bytes of the file that a function writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, name))
        return Path(folder, name).read_bytes()


def saved(save: Callable[[Any], Any]) -> bytes:
    """Return what a function writes to a stream."""
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def pngs() -> list[bytes]:
    deep = np.arange(120, dtype=np.uint16).reshape(10, 12) * 500
    found = [rows_images.encoded("PNG", mode) for mode in ("RGB", "L", "LA", "RGBA", "1", "P")]
    return [
        *found,
        encode_label(LABEL),
        encode_grey(LABEL / 255),
        saved(lambda s: Image.fromarray(deep).save(s, "PNG")),
    ]


def photos() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = [rows_images.encoded("JPEG", mode, quality=70) for mode in ("RGB", "L", "CMYK")]
    found += [rows_images.encoded(kind) for kind in ("WEBP", "BMP", "PPM", "GIF")]
    return [*found, rows_images.encoded("JPEG", exif=exif), rows_images.encoded("MPO")]


def tiffs() -> list[bytes]:
    rng = np.random.default_rng(0)
    bands = rng.integers(0, 2**12, (5, 16, 20)).astype(np.uint16)
    found = [rows_images.encoded("TIFF", compression=one) for one in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "raw")]
    write = partial(tifffile.imwrite, photometric="minisblack")
    found += [saved(lambda s, one=one: write(s, one)) for one in (bands, bands[0], bands[0].astype(np.float32))]
    chunky = np.moveaxis(bands, 0, -1).copy()
    return [*found, saved(lambda s: write(s, chunky, planarconfig="contig", compression="deflate", tile=(16, 16)))]


def mask_tiffs() -> list[bytes]:
    grey, palette = Image.fromarray(LABEL), Image.open(io.BytesIO(encode_label(LABEL)))
    kinds = [
        (grey, {}),
        (palette, {}),
        (grey, {"compression": "tiff_lzw"}),
        (grey.convert("1"), {"compression": "group4"}),
    ]
    found = [saved(lambda s, one=one, options=options: one.save(s, "TIFF", **options)) for one, options in kinds]
    return [
        *found,
        *(saved(lambda s, kind=kind: tifffile.imwrite(s, LABEL.astype(kind))) for kind in ("u2", "i4", "f4")),
    ]


def mask_arrays() -> list[bytes]:
    arrays = (LABEL, LABEL.astype(np.int64), LABEL[..., None].astype(np.float32), LABEL > 0)
    return [saved(lambda stream, one=one: np.save(stream, one)) for one in arrays]


def archives() -> list[bytes]:
    members = {"a.png": encode_label(LABEL), "b/c.png": encode_grey(LABEL / 255)}
    whole = written("a.zip", lambda path: write_archive(path, members))
    return [whole, deflated(whole)]


def deflated(content: bytes) -> bytes:
    """Return a zip with its members compressed, as most tools write it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def safetensors() -> list[bytes]:
    first = {"a.cam": np.ones((2, 3, 4), np.float16), "b": np.zeros((2, 2), np.uint8), "n": np.array(3)}
    second = {"conv.weight": np.ones((2, 3, 3, 3), np.float32)}
    both = [({}, None), (first, {"classes": ["cat"]}), (second, None)]
    return [written("w.safetensors", lambda path, one=one: write_tensors(path, *one)) for one in both]


def checkpoints() -> list[bytes]:
    state = {"module.conv.weight": torch.ones(2, 3), "module.bn.num_batches_tracked": torch.tensor(3)}
    values = [
        state,
        {"state_dict": state, "epoch": 3, "args": {"lr": 0.1}},
        {"model": {"fc8.weight": torch.ones(2, 3)}},
    ]
    return [saved(lambda stream, one=one: torch.save(one, stream)) for one in values]


def old_checkpoints() -> list[bytes]:
    state = {"conv.weight": torch.ones(2, 3), "half": torch.ones(4, dtype=torch.float16)}
    return [saved(lambda stream: torch.save(state, stream, _use_new_zipfile_serialization=False))]


def npys() -> list[bytes]:
    cams = {1: np.ones((3, 4), np.float32), 2: np.zeros((3, 4), np.float32)}
    maps = [
        written("a.npy", lambda path, layout=layout: write_npy_cams(path, cams, (3, 4), layout))
        for layout in ("psa", "irn", "clip-es")
    ]
    labels = {"a": np.array([1, 0], np.float32), "b": [0, 1], 7: np.array([1, 1])}
    tensors = rows_pickles.op(b"}K\0" + rows_pickles.tensor((1, 1), (1, 1)) + b"s")
    plain = saved(lambda stream: np.save(stream, np.arange(6).reshape(2, 3)))
    return [*maps, saved(lambda stream: np.save(stream, np.array(labels, object), allow_pickle=True)), tensors, plain]


def mxnets() -> list[bytes]:
    arrays = {"arg:conv0_weight": np.ones((2, 3), np.float32), "aux:bn_moving_mean": np.zeros(2, np.float16)}
    return [file_bytes(arrays, version) for version in (0, 1, 2, 3)]


def sbd() -> list[bytes]:
    truth = np.zeros((1,), [("Boundaries", object), ("Segmentation", object), ("CategoriesPresent", object)])
    truth[0] = (np.zeros((1, 1)), LABEL % 21, np.array([1], np.uint8))
    return [
        saved(lambda stream, packed=packed: savemat(stream, {"GTcls": truth}, do_compression=packed))
        for packed in (False, True)
    ]


def onnxes() -> list[bytes]:
    shapes = [[[1, 3, 320, 320]], [["n", 3, "h", "w"]]]
    return [written("n.onnx", lambda path, shape=shape: network(path, shape, (1, 1, 32, 32))) for shape in shapes]
