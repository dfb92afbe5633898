"""CAMs of other methods: every format as its own code writes it, there and back, and what is rejected."""

import os
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.datasets.scan import content_sha256
from auxseg.encoded import encode_grey
from auxseg.errors import DataError, ParamsError
from auxseg.external.cams import FORMATS, CamFolder, write_cams
from auxseg.external.npy import read_npy_cams
from auxseg.maps import upsample
from auxseg.params.cam import CamParams

CLASSES = ClassTable(("cat", "dog", "sheep"), (8, 12, 17))  # a part of VOC's: columns 7, 11 and 16 of 20
RECORD = ImageRecord("a", "a.jpg", 50, 33, "train", ("cat", "sheep"), "")


def maps(height=33, width=50, seed=0):
    random = np.random.default_rng(seed).random((2, height, width), np.float32)
    return random / random.max(axis=(1, 2), keepdims=True)


def load(folder, provider="npy", record=RECORD):
    params = CamParams(provider=provider, path=str(folder), sha256=content_sha256(folder, "path", "root"))
    return CamFolder.of(params, folder.parent, CLASSES)(record)


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, content, allow_pickle=True)


def as_psa(cams):
    return {7: cams[0], 16: cams[1]}


def as_mctformer(cams):
    return {16: cams[1], 7: cams[0], 11: np.zeros_like(cams[0])}  # in any order, and a class more


def as_irn(cams):
    label = torch.zeros(20)
    label[[7, 16]] = 1
    keys = torch.nonzero(label)[:, 0]  # a view with a stride of its own
    coarse = torch.nn.functional.interpolate(torch.from_numpy(cams)[None], (9, 13))[0]
    return {"keys": keys, "cam": coarse, "high_res": cams}


def as_clip_es(cams):
    return {"keys": np.array([16, 7]), "attn_highres": cams[::-1].astype(np.float16)}


@pytest.mark.parametrize("written", [as_psa, as_mctformer, as_irn, as_clip_es])
def test_a_file_as_the_method_writes_it(tmp_path, written):
    cams = maps()
    save(tmp_path / "seeds/a.npy", written(cams))
    found = load(tmp_path / "seeds")
    assert found.dtype == np.float16
    assert found.tolist() == cams.astype(np.float16).tolist()


def test_irn_without_its_large_maps(tmp_path):
    content = as_irn(maps())
    del content["high_res"]
    save(tmp_path / "seeds/a.npy", content)
    assert load(tmp_path / "seeds").tolist() == content["cam"].numpy().astype(np.float16).tolist()


def test_seam_leaves_values_a_little_below_zero(tmp_path):
    cams = maps() - np.float32(0.01)
    save(tmp_path / "seeds/a.npy", as_psa(cams))
    assert load(tmp_path / "seeds").tolist() == cams.clip(0, 1).astype(np.float16).tolist()


def test_an_image_without_labels_needs_no_file(tmp_path):
    (tmp_path / "seeds").mkdir()
    none = load(tmp_path / "seeds", record=ImageRecord("b", "b.jpg", 50, 33, "train", (), ""))
    assert upsample(none, 33, 50).shape == (0, 33, 50)


def test_png_by_class(tmp_path):
    cams = maps(17, 25)
    for name, cam in zip(RECORD.tags, cams, strict=True):
        path = tmp_path / "seeds" / name / "a.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(encode_grey(cam))
    np.testing.assert_allclose(load(tmp_path / "seeds", "png").astype(np.float32), cams, atol=0.5 / 255 + 5e-4)


def test_a_bitmap_is_rejected(tmp_path):
    """Its 0 and 1 would read as 0 and 1 / 255: no pixel would pass the threshold."""
    for name, cam in zip(RECORD.tags, maps(17, 25), strict=True):
        (tmp_path / "seeds" / name).mkdir(parents=True)
        Image.fromarray(cam > 0.5).save(tmp_path / "seeds" / name / "a.png")
    with pytest.raises(DataError, match=r"a\.png: a map must be an 8-bit grey PNG.*, but this one is PNG of mode 1"):
        load(tmp_path / "seeds", "png")


@pytest.mark.parametrize("layout", FORMATS)
def test_there_and_back(tmp_path, layout):
    stored = maps(9, 13).astype(np.float16)  # as a stage stores it, at network resolution
    write_cams(tmp_path / "out", RECORD, dict(zip(RECORD.tags, stored, strict=True)), CLASSES, layout)
    back = load(tmp_path / "out", "png" if layout == "png" else "npy")
    if layout == "png":
        np.testing.assert_allclose(back.astype(np.float32), stored.astype(np.float32), atol=0.5 / 255 + 5e-4)
    else:
        assert back.tolist() == upsample(stored, 33, 50).astype(np.float16).tolist()


@pytest.mark.parametrize("layout", ["psa", "irn", "clip-es"])
def test_the_methods_own_code_reads_what_is_written(tmp_path, layout):
    """The lines with which PSA, IRN and CLIP-ES turn their files into labels."""
    stored = maps(9, 13)
    write_cams(tmp_path, RECORD, dict(zip(RECORD.tags, stored, strict=True)), CLASSES, layout)
    content = np.load(tmp_path / "a.npy", allow_pickle=True).item()
    if layout == "psa":
        full = np.zeros((21, 33, 50), np.float32)
        for key, cam in content.items():
            full[key + 1] = cam
        full[0] = 0.3
        label = full.argmax(axis=0)
    else:
        array = content["high_res" if layout == "irn" else "attn_highres"]
        padded = np.pad(array, ((1, 0), (0, 0), (0, 0)), mode="constant", constant_values=0.3)
        label = np.pad(content["keys"] + 1, (1, 0), mode="constant")[np.argmax(padded, axis=0)]
    large = upsample(stored, 33, 50)
    if layout == "clip-es":
        large = large.astype(np.float16)
    expected = np.where(large.max(axis=0) > np.float32(0.3), np.array([8, 17])[large.argmax(axis=0)], 0)
    assert (label != expected).mean() < 0.002  # ties of float16
    if layout == "irn":
        assert isinstance(content["cam"], torch.Tensor) and content["cam"].shape == (2, 9, 13)


@given(arrays(np.float32, (3, 4, 5), elements=st.floats(-1e3, 1e3, width=32)), st.permutations(range(3)))
def test_torch_tensors_of_any_view(tmp_path_factory, values, order):
    path = tmp_path_factory.mktemp("views") / "a.npy"
    view = torch.from_numpy(values).permute(*order)[:, 1:]
    save(path, {"keys": torch.arange(len(view)), "cam": view})
    found = read_npy_cams(path)
    assert np.stack(list(found.values())).tolist() == view.numpy().tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({7: maps()[0]}, "no map of class 'sheep' .key 16., which the image is tagged with; it has keys .7."),
        ({"keys": np.array([7, 16]), "maps": maps()}, "with `keys` it needs one map per key in `attn_highres`"),
        ({"keys": np.array([7]), "cam": maps()}, "with `keys` it needs one map per key"),
        ({"keys": [0], "cam": 3.0}, "with `keys` it needs one map per key"),
        ({"keys": [[0], [1, 2]], "cam": maps()}, "contains no array"),
        ({7: [[0.5], [0.5, 0.5]]}, "contains no array"),
        ({"x": 1}, "contains `x`, not .class: map. or `keys`"),
        (np.zeros((20, 3, 5)), "contains a ndarray"),
        ({7: maps(), 16: maps()}, "class 7 has no two-dimensional map"),
        (as_psa(255 * maps()), "values go up to 255, not 1; divide each class by its maximum"),
        (as_psa(maps() * np.nan), "values go up to nan"),
        (as_psa(maps(50, 33)), "maps of 33x50, but the image has 50x33 .upright."),
        ({7: maps()[0], 16: maps(66, 100)[1]}, "the maps of the classes differ in size"),
    ],
)
def test_rejections_name_file_and_fix(tmp_path, content, message):
    save(tmp_path / "seeds/a.npy", content)
    with pytest.raises(DataError, match=message) as rejection:
        load(tmp_path / "seeds")
    assert str(rejection.value).startswith(f"{tmp_path / 'seeds/a.npy'}: ") and "\n" not in str(rejection.value)


def test_a_missing_file_and_folder_and_scan(tmp_path):
    with pytest.raises(DataError, match=r"seeds: no such folder; fix cam\.path"):
        CamFolder.of(CamParams(provider="npy", path="seeds", sha256="0" * 64), tmp_path, CLASSES)
    (tmp_path / "seeds").mkdir()
    with pytest.raises(DataError, match=r"a\.npy: no such file"):
        load(tmp_path / "seeds")
    with pytest.raises(DataError, match=r"cat/a\.png: no such image"):
        load(tmp_path / "seeds", "png")
    with pytest.raises(
        ParamsError, match=r"'cam\.sha256': the content of cam.path has not been scanned; run `auxseg scan`"
    ):
        CamFolder.of(CamParams(provider="npy", path="seeds"), tmp_path, CLASSES)


def test_a_class_name_that_leaves_the_folder(tmp_path):
    record = ImageRecord("a", "a.jpg", 50, 33, "train", ("../cat",), "")
    with pytest.raises(DataError, match=r"class '\.\./cat': cannot be a folder name"):
        write_cams(tmp_path / "out", record, {"../cat": maps()[0]}, ClassTable(("../cat",), (1,)), "png")
    cat = ImageRecord("a", "a.jpg", 50, 33, "train", ("cat",), "")
    with pytest.raises(DataError, match="cannot be a folder name"):  # before one that can be is written
        write_cams(tmp_path / "out", cat, {"cat": maps()[0]}, ClassTable(("cat", "and/or"), (1, 2)), "png")
    assert not (tmp_path / "out").exists()


class _Storage:
    """Pickles as a tensor does, with what a hostile file may say."""

    def __init__(self, content, *shape):
        self.content, self.shape = content, shape

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, (_Bytes(self.content), *self.shape, False, {})


class _Bytes:
    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.content,)


class _Call:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def six_ones():
    return torch.ones(6).storage().__reduce__()[1][0]


@pytest.mark.parametrize(
    ("content", "shape", "message"),
    [
        (six_ones, (0, (2, 4), (4, 1)), "reaches beyond its content"),
        (six_ones, (5, (2, 3), (3, 1)), "reaches beyond its content"),
        (six_ones, (0, (2, 3), (-3, 1)), "damaged torch tensor"),
        (lambda: six_ones()[:40], (0, (2, 3), (3, 1)), "not a readable .npy"),
        (lambda: b"".join(pickle.dumps(part) for part in (1, 2, {}, _Call(), [])), (0, (1,), (1,)), "could run code"),
    ],
)
@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_hostile_tensors_are_rejected(tmp_path, monkeypatch, content, shape, message):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.npy", {"keys": np.array([0]), "cam": _Storage(content(), *shape)})
    with pytest.raises(DataError, match=message):
        read_npy_cams(tmp_path / "a.npy")
    assert not (tmp_path / "pwned").exists()
