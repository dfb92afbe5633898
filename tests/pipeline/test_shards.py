"""The number of shards changes where an image's artifacts are, never their content."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
import yaml

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.manifest import read_classes, read_manifest
from auxseg.datasets.scan import scan, write_raw
from auxseg.metrics.tables import read_counts
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.backbones import build_backbone
from auxseg.models.classifier import Classifier
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.dag import shard_names
from auxseg.params.network import NetworkParams
from auxseg.pipeline.stage import Stage

COUNTS = (1, 3, 8)
KINDS = ("saliency", "maps", "labels", "saliency_labels", "score/areas")
"""Artifacts with something of every image: members of an archive, tensors, rows of a table."""


@pytest.fixture(scope="module")
def results(tmp_path_factory, load_stage) -> dict[int, dict[str, dict[str, bytes]]]:
    """Per number of shards and artifact: member -> content, from the real stages with untrained networks."""
    data = tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUXSEG_DATA", str(data))
        patch.setattr("auxseg.parallel.available_cpus", lambda: 1)
        for count in COUNTS:
            folder = tmp_path_factory.mktemp(f"shards{count}")
            shutil.copy(tiny.ROOT / "dvc.yaml", folder)
            (folder / "params.yaml").write_text(yaml.safe_dump({**tiny.PARAMS, "shards": shard_names(count)}))
            patch.chdir(folder)
            write_raw(Path("data/raw.yaml"), scan(data))
            found[count] = _run_stages(load_stage, shard_names(count))
    return found


def _run_stages(load_stage, shards: list[str]) -> dict[str, dict[str, bytes]]:
    def run_stage(name: str, round_name: str = "") -> None:
        for shard in shards:
            load_stage(name).main(Stage(name, round_name, shard))

    load_stage("prepare").main(Stage("prepare"))
    classes = len(read_classes(Path("data/manifest/classes.csv")))
    backbone = BackboneParams.parse(tiny.PARAMS["backbone"])
    torch.manual_seed(0)
    save_weights(
        Path("data/models/r0.safetensors"), Classifier(build_backbone(backbone, pretrained=False), classes), {}
    )
    network = build_auxsegnet(backbone, NetworkParams.parse(tiny.PARAMS["network"]), classes)
    save_weights(Path("data/models/r1.safetensors"), network, {})
    run_stage("saliency")
    run_stage("cam")
    run_stage("labels", "r0")
    run_stage("propagate", "r1")
    for name in ("labels", "score"):
        run_stage(name, "r1")
    found = {kind: _members(kind) for kind in KINDS}
    pooled = read_counts(Path("data/score/counts/r1").glob("*.csv"), classes)
    found["counts"] = {
        kind: np.stack((counts.correct, counts.predicted, counts.true)).tobytes() for kind, counts in pooled.items()
    }
    return found


def _members(kind: str) -> dict[str, bytes]:
    """Return the content of every image in a folder of shards, by round and name; of tables, every row's."""
    found = {}
    for path in sorted(Path("data", kind).rglob("*.*")):
        where = str(path.parent.relative_to("data"))
        if path.suffix == ".zip":
            members = dict(Archive(path).items())
        elif path.suffix == ".safetensors":
            tensors = TensorFile(path)
            members = {name: tensors[name].tobytes() + repr(tensors[name].shape).encode() for name in tensors}
        else:
            members = {row: b"" for row in path.read_text().splitlines()[1:]}
        for name, content in members.items():
            assert f"{where} {name}" not in found, "an image is in two shards"
            found[f"{where} {name}"] = content
    return found


@pytest.mark.parametrize("kind", [*KINDS, "counts"])
def test_content_of_an_image_is_the_same_for_every_number_of_shards(results, kind):
    one = results[1][kind]
    assert len(one) >= 10
    for count in COUNTS[1:]:
        assert results[count][kind] == one


def test_all_images_have_a_shard_and_only_one(results, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    ids = [[record.id for record in read_manifest(base / f"shards{count}0/data/manifest")] for count in COUNTS]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == len(set(ids[0])) == 13
