"""The loop over a shard: names, bytes, workers, and images that changed after the manifest was written."""

import numpy as np
import pytest
from PIL import Image

import auxseg.parallel
from auxseg.datasets.manifest import ImageRecord
from auxseg.encoded import decode_grey
from auxseg.errors import DataError
from auxseg.images import read_rgb
from auxseg.params.saliency import SaliencyParams
from auxseg.saliency import PROVIDERS, build_provider, compute_priors


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Five small images with a bright box, as PNGs, and their records."""
    root, records = tmp_path_factory.mktemp("photos"), []
    for index in range(5):
        rgb = np.random.default_rng(index).integers(0, 60, (48 + index, 64, 3), np.uint8)
        rgb[15:35, 20 + index : 45] += 150
        Image.fromarray(rgb).save(root / f"p{index}.png")
        records.append(ImageRecord(f"p{index}", f"p{index}.png", 64, 48 + index, "train", (), ""))
    return root, records


def test_the_registry_is_what_params_allow():
    assert list(SaliencyParams.model_fields["provider"].annotation.__args__) == list(PROVIDERS)


@pytest.mark.parametrize("name", ["boundary", "u2netp"])
def test_each_image_on_its_own(photos, name):
    root, records = photos
    provider = build_provider(SaliencyParams(provider=name, superpixels=60), root)
    together = compute_priors(provider, root, records)
    assert list(together) == [f"p{index}.png" for index in range(5)]
    alone = compute_priors(provider, root, records[3:4])
    assert alone["p3.png"] == together["p3.png"]
    found = decode_grey(together["p3.png"])
    assert found.shape == (51, 64)
    assert np.abs(found - provider(records[3], read_rgb(root / "p3.png"))).max() <= 0.5 / 255 + 1e-6


def test_bytes_do_not_depend_on_workers(photos, monkeypatch):
    root, records = photos
    provider = build_provider(SaliencyParams(provider="boundary", superpixels=60), root)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(auxseg.parallel, "available_cpus", lambda workers=workers: workers)
        found.append(compute_priors(provider, root, records))
    assert found[0] == found[1]


def test_rejects_an_image_that_changed(photos):
    root, _ = photos
    changed = ImageRecord("p0", "p1.png", 64, 48, "train", (), "")
    provider = build_provider(SaliencyParams(provider="boundary"), root)
    with pytest.raises(DataError, match=r"p1\.png: 64x49, in the manifest 64x48; the file has changed: run"):
        compute_priors(provider, root, [changed])


def test_an_empty_shard(tmp_path):
    provider = build_provider(SaliencyParams(provider="boundary"), tmp_path)
    assert compute_priors(provider, tmp_path, []) == {}
