"""The report as files: what its scripts hand over, against the artifacts; pages parsed; bytes that repeat."""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from report_data import CLASSES, NEGATIVE_ID, ODD_ID, RULE, SHARDS, make
from report_reader import digest, read_script, write

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_csv
from auxseg.artifacts.tensors import TensorFile
from auxseg.audit.index import dataset_name
from auxseg.audit.pages import tables_page
from auxseg.audit.panels import CELL_HEIGHT, CELL_WIDTH, SHEET_COLUMNS
from auxseg.audit.scripts import data_script
from auxseg.audit.sources import list_rounds, spread
from auxseg.datasets.contradictions import Contradictions
from auxseg.datasets.manifest import read_manifest, read_mask_list, shard_of
from auxseg.encoded import decode_grey, decode_indices, encode_label
from auxseg.errors import DataError
from auxseg.fusion import fuse
from auxseg.maps import upsample
from auxseg.params.cam import CamParams
from auxseg.params.labels import LabelsParams
from auxseg.params.presets import read_preset

PROJECT = Path(__file__).resolve().parents[2]
SIZE = (61, 90)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    make(folder)
    write(folder)
    return folder


@pytest.fixture(scope="module")
def base(work):
    return read_script(work / "audit/index/base.js")


def stored(work, base, split, image_id):
    """Return what the chunk of an image holds of it."""
    records = base["records"][split]
    position = records["id"].index(image_id)
    return read_script(work / f"audit/images/{records['chunk'][position]}.js")[records["slot"][position]]


def test_few_files(work):
    names = set(digest(work / "audit"))
    assert {"index.html", "tables.html", "index/base.js", "app/style.css"} <= names
    assert {name for name in names if name.startswith("index/r")} == {
        "index/r0-train.js",
        "index/r1-train.js",
        "index/r2-train.js",
        "index/r1-val.js",
        "index/r2-val.js",
    }
    chunks = len([name for name in names if name.startswith("images/")])
    assert chunks == 4  # two splits of two shards
    sheets = {name.rpartition("/")[0].removeprefix("thumbs/") for name in names if name.startswith("thumbs/")}
    later = {"cam", "refined", "saliency", "label", "prediction"}
    assert sheets == {f"base/{kind}" for kind in ("photo", "prior", "cam0", "mask")} | {
        f"{name}/{kind}" for name in ("r1", "r2") for kind in later
    } | {"r0/label", "r1/change", "r2/change"}
    assert not list(work.rglob(".tmp-*"))


def test_chunks_hold_the_bytes_of_the_artifacts(work, base):
    for split in ("train", "val"):
        for image_id in base["records"][split]["id"]:
            found, shard = stored(work, base, split, image_id), shard_of(image_id, ("00", "01"))
            prior = Archive(work / f"data/saliency/{shard}.zip")[f"{image_id}.png"]
            assert base64.b64decode(found["prior"]) == prior
            assert found["hashes"]["prior"] == hashlib.sha256(prior).hexdigest()
            assert set(found["rounds"]) == ({"r0", "r1", "r2"} if split == "train" else {"r1", "r2"})
            for name, content in found["rounds"].items():
                path = f"labels/{name}/{shard}.zip" if split == "train" else f"predictions/{name}.zip"
                label = Archive(work / "data" / path)[f"{image_id}.png"]
                assert base64.b64decode(content["label"]) == label
                assert content["hashes"]["label"] == hashlib.sha256(label).hexdigest()
                cam = TensorFile(work / f"data/maps/{name}/{shard}.safetensors")[f"{image_id}.cam"]
                assert content["cam"]["shape"] == list(cam.shape)
                assert base64.b64decode(content["cam"]["data"]) == cam.astype("<f2").tobytes()
                assert (content["refined"] is None) == (content["prediction"] is None) == (name == "r0")
                assert (content["saliency"] is None) == (split == "val" or name == "r0")


def test_labels_follow_from_what_the_chunks_hold_in_every_pixel(work, base):
    """An auditor with nothing but the report's folder comes to the same labels."""
    decoded = 0
    for image_id, tags in zip(base["records"]["train"]["id"], base["records"]["train"]["tags"], strict=True):
        found = stored(work, base, "train", image_id)
        for content in found["rounds"].values():
            saliency = decode_grey(base64.b64decode(content["saliency"] or found["prior"]))
            cam = np.frombuffer(base64.b64decode(content["cam"]["data"]), "<f2").reshape(content["cam"]["shape"])
            again = fuse(upsample(cam, *SIZE), tags, saliency, *LabelsParams(**base["rule"]).thresholds)
            label = decode_indices(base64.b64decode(content["label"]))
            assert (again == label).all()
            assert np.unique(label).tolist() == [0] if image_id == NEGATIVE_ID else len(np.unique(label)) > 2
            decoded += 1
    assert decoded == 5 * 3
    assert all(
        read_script(work / f"audit/index/{name}-train.js")["figures"]["mismatch"] == [0] * 5 for name in ("r0", "r2")
    )


def test_a_label_that_does_not_follow_is_counted(tmp_path):
    make(tmp_path, rounds=1, train=2, val=0)
    shutil.copytree(tmp_path / "data/maps/r0", tmp_path / "data/maps/r1", dirs_exist_ok=True)  # another round's CAMs
    with pytest.raises(DataError, match=r"does not contain a tensor '.*saliency'; run the stage that writes it again"):
        write(tmp_path)
    shutil.rmtree(tmp_path / "data/saliency_labels/r1")
    shutil.copytree(tmp_path / "data/saliency_labels/r0", tmp_path / "data/saliency_labels/r1")
    make(tmp_path / "other", rounds=1, train=2, val=0)
    shutil.rmtree(tmp_path / "data/maps/r1")
    shutil.copytree(tmp_path / "other/data/maps/r1", tmp_path / "data/maps/r1")
    assert min(read_script(write(tmp_path) / "index/r1-train.js")["figures"]["mismatch"]) > 0


def test_photos_are_reduced_and_labels_are_not(tmp_path):
    make(tmp_path, rounds=1, train=2, val=0, size=(150, 200))
    found = read_script(write(tmp_path, photo_side=64) / "images/00000.js")[0]
    with Image.open(io.BytesIO(base64.b64decode(found["photo"]))) as photo:
        assert photo.size == (64, 48)
    assert decode_indices(base64.b64decode(found["rounds"]["r1"]["label"])).shape == (150, 200)


def test_sheets_hold_a_cell_for_every_picture(work, base):
    for path in (work / "audit/thumbs").rglob("*.jpg"):
        with Image.open(path) as sheet:
            assert sheet.size == (SHEET_COLUMNS * CELL_WIDTH, CELL_HEIGHT)
    records = base["records"]["train"]
    at = records["id"].index("t001")
    with Image.open(work / f"audit/thumbs/base/photo/{records['chunk'][at]}.jpg") as sheet:
        left = records["slot"][at] * CELL_WIDTH
        cell = np.asarray(sheet)[: SIZE[0], left : left + SIZE[1]].astype(int)
    with Image.open(work / "raw/train2.png") as photo:
        assert np.abs(cell - np.asarray(photo)).mean() < 6


def test_provenance(work, base):
    weights = hashlib.sha256((work / "data/models/r2.safetensors").read_bytes()).hexdigest()
    assert base["provenance"]["weights"]["r2"] == weights
    review = hashlib.sha256((work / "data/review/r1.csv").read_bytes()).hexdigest()
    assert base["provenance"]["reviews"]["r2"] == review and set(base["provenance"]["reviews"]) == {"r1", "r2"}
    assert base["provenance"]["params"] == {"labels": {"a": 1}, "cam": {"provider": "classifier"}}
    assert base["provenance"]["versions"]["numpy"] == np.__version__
    declared = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    for origin in base["provenance"]["origins"]:  # as dvc.yaml has it
        stage = declared[origin["stage"]]
        stage = stage.get("do", stage)
        assert set(origin["sections"]) <= set(stage["params"])
        assert set(origin["sections"]) <= set(declared["audit"]["params"])
        if origin["file"].startswith("data/"):
            outputs = {output.replace("${key}", "${item.round}") for output in stage["outs"]}
            pattern = origin["file"].replace("<before>", "${item.round}")
            pattern = pattern.replace("<round>", "${item.round}").replace("<shard>", "${item.shard}")
            assert outputs & {pattern, pattern.replace("${item.round}", "r0")}


class Page(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, path):
        super().__init__()
        self.tags = []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", ["index.html", "tables.html"])
def test_pages_ask_for_nothing_outside(work, name):
    page, text = Page(work / "audit" / name), (work / "audit" / name).read_text()
    for link in [a["href"] for a in page.all("a") + page.all("link")] + [s["src"] for s in page.all("script")]:
        assert "//" not in link and (not link.partition("#")[0] or (work / "audit" / link.partition("#")[0]).is_file())
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';") and "http" not in policy and "unsafe" not in policy
    assert "http:" not in text and "https:" not in text
    assert not [attributes for _, attributes in page.tags if "style" in attributes or "onclick" in attributes]
    labelled = [a for tag in ("input", "select", "textarea") for a in page.all(tag) if a.get("type") != "file"]
    assert all("id" in attributes for attributes in labelled)
    for script in (work / "audit/app").glob("*.js"):
        code = script.read_text()
        assert not any(word in code for word in ("http:", "https:", "innerHTML", "fetch(", "import(", "eval("))


def test_tables_of_the_summary(work):
    text = (work / "audit/tables.html").read_text()
    assert "&lt;b&gt;dog&lt;/b&gt;" in text and "<b>dog" not in text
    assert 'data-number="80.25"' in text and "<td>-</td>" in text
    assert text.index('id="rounds"') < text.index('id="classes"')


def test_hostile_text_stays_text(base, tmp_path):
    assert ODD_ID in base["records"]["train"]["id"] and base["classes"] == list(CLASSES.with_background)
    write_csv(tmp_path / "classes.csv", ["round", ODD_ID], [[ODD_ID, ODD_ID]])
    page = tables_page(tmp_path, Contradictions(0))
    assert page.count("&lt;script&gt;x&lt;/script&gt;&amp;c") == 3 and "<script>x" not in page
    script = data_script("index/x", {"__proto__": "\u2028</script>\\'\""})
    assert script.isascii() and b"\\\\u2028" in script
    with pytest.raises(ValueError, match="Out of range float"):
        data_script("x", {"a": float("nan")})


def test_a_missing_network_is_named_before_the_work(tmp_path):
    make(tmp_path, rounds=1, train=4, val=0)
    (tmp_path / "data/models/r1.safetensors").unlink()
    with pytest.raises(DataError, match=r"models/r1.safetensors: no such file"):
        write(tmp_path)


def test_same_bytes_from_worker_processes(work):
    assert digest(write(work, serial=False, folder="again")) == digest(work / "audit")


def test_without_masks_and_val(tmp_path):
    make(tmp_path, rounds=1, train=4, val=0, masks=False)
    folder = write(tmp_path)
    page = (folder / "tables.html").read_text()
    assert "no scores: the data set has no masks" in page and 'id="labels"' in page
    assert set(read_script(folder / "index/base.js")["records"]) == {"train"}
    assert read_script(folder / "index/r1-train.js")["figures"]["iou"] == [None] * 4


def test_with_masks_nothing_is_said_of_them(work):
    assert "no masks" not in (work / "audit/tables.html").read_text()


def test_the_name_of_the_data_set_is_that_of_its_images(work):
    """Verdicts are kept in the browser under it: neither other shards nor fewer images shown may hide them."""
    records = read_manifest(work / "data/manifest")
    name = dataset_name(records)
    assert name == dataset_name(records[::-1]) == read_script(work / "audit/index/base.js")["dataset"]
    assert name == read_script(write(work, images=2, folder="fewer") / "index/base.js")["dataset"]
    assert name != dataset_name(records[1:])


def test_the_hash_of_a_mask_is_that_of_its_file(work, base):
    found, path = stored(work, base, "train", "t001"), read_mask_list(work.glob("data/masks/*.csv"))["t001"]
    assert found["hashes"]["mask"] == hashlib.sha256((work / "raw" / path).read_bytes()).hexdigest()


def test_a_part_of_the_images(tmp_path):
    make(tmp_path, rounds=1, train=9)
    base = read_script(write(tmp_path, images=3) / "index/base.js")
    assert sorted(base["records"]["train"]["id"]) == [ODD_ID, "t002", "t005"]
    assert base["totals"] == {"train": 9, "val": 3}
    records = read_manifest(tmp_path / "data/manifest", "train")
    assert spread(records, 100) == spread(records, None) == records
    assert len({record.id for record in spread(records, 8)}) == 8


def test_removed_rounds_are_not_shown(tmp_path):
    make(tmp_path, rounds=2)
    table = tmp_path / "data/summary/rounds.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("r2")))
    assert list_rounds(Store(tmp_path)) == Round.up_to(Round(1))
    table.write_text(lines[0] + next(line for line in lines if line.startswith("r1,model")))  # only val has masks
    assert list_rounds(Store(tmp_path)) == Round.up_to(Round(1))


def test_a_missing_shard_is_named_and_the_old_report_stays(tmp_path):
    make(tmp_path, rounds=1)
    before = digest(write(tmp_path))
    (tmp_path / "data/labels/r1/01.zip").unlink()
    with pytest.raises(DataError, match=r"labels/r1/01\.zip: missing"):
        write(tmp_path)
    assert digest(tmp_path / "audit") == before


def test_the_stage_as_a_program(tmp_path):
    make(tmp_path)
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    values = read_preset(PROJECT / "params/presets/demo.yaml")
    (tmp_path / "params.yaml").write_text(
        yaml.safe_dump(
            values | {"shards": list(SHARDS), "audit": {"images": 2}, "labels": RULE.model_dump(mode="json")}
        )
    )
    done = subprocess.run(
        [sys.executable, PROJECT / "workflow/stages/audit.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"AUXSEG_DATA": str(tmp_path / "raw")},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "audit: 4 images" in done.stderr
    found, wanted = digest(tmp_path / "data/audit"), digest(write(tmp_path, images=2))
    assert found.pop("index/base.js") != wanted.pop("index/base.js")  # it contains the parameters
    found.pop("index.html"), wanted.pop("index.html")  # and the size of the folder
    cam = CamParams.of(values).model_dump(mode="json")
    assert found == wanted
    assert read_script(tmp_path / "data/audit/index/base.js")["provenance"]["params"]["cam"] == cam


def test_a_corrected_label_is_shown_beside_the_pseudo_label(tmp_path):
    make(tmp_path)
    drawn = np.full(SIZE, 2, np.uint8)
    drawn[0, 0] = 255
    write_archive(tmp_path / "data/corrections/r1.zip", {"t001.png": encode_label(drawn)})
    folder = write(tmp_path)
    base, page = read_script(folder / "index/base.js"), read_script(folder / "index/r1-train.js")
    position = base["records"]["train"]["id"].index("t001")
    content = stored(tmp_path, base, "train", "t001")["rounds"]
    before = decode_indices(base64.b64decode(content["r1"]["label"]))
    assert (decode_indices(base64.b64decode(content["r1"]["corrected"])) == drawn).all()
    assert content["r0"]["corrected"] is None and content["r1"]["hashes"]["corrected"]
    figure = page["figures"]["corrected"]
    assert figure[position] == pytest.approx((before != drawn).mean(), abs=1e-5)
    assert [value for i, value in enumerate(figure) if i != position] == [None] * 4
    assert [key for key, kinds in base["kinds"].items() if "corrected" in kinds] == ["r1-train"]
    assert page["figures"]["mismatch"] == [0] * 5  # the pseudo label itself is as it was
    assert (folder / "thumbs/r1/corrected").is_dir() and not (folder / "thumbs/r0/corrected").exists()
