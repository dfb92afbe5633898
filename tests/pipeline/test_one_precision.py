"""runtime.precision: auto: `classify` chooses, and every later stage computes alike, also where another would win."""

import shutil

import pytest
import tiny
import torch
import yaml

from auxseg.artifacts.rounds import R0, Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.scan import scan, write_raw
from auxseg.models import precision
from auxseg.models.backbones import Backbone
from auxseg.pipeline.stage import Stage

STAGES = [
    ("classify", ""),
    ("tag_score", ""),
    ("cam", "r0"),
    ("labels", "r0"),
    ("review", "r0"),
    ("baseline", ""),
    ("train", "r1"),
    ("propagate", "r1"),
    ("evaluate", "r1"),
]


@pytest.fixture
def project(tmp_path, monkeypatch, load_stage):
    """A project of one shard up to its saliency, in which bfloat16 is the faster one when it is measured."""
    data = tiny.make_data(tmp_path / "voc")
    monkeypatch.setenv("AUXSEG_DATA", str(data))
    monkeypatch.setenv("AUXSEG_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    shutil.copy(tiny.ROOT / "dvc.yaml", tmp_path)
    shutil.copytree(tiny.ROOT / "review", tmp_path / "review")
    values = {**tiny.PARAMS, "shards": ["00"], "runtime": {"threads": 1, "precision": "auto"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path)
    write_raw(tmp_path / "data/raw.yaml", scan(data))
    load_stage("prepare").main(Stage("prepare"))
    load_stage("saliency").main(Stage("saliency", "", "00"))
    for name, seconds in (("float32", 1.0), ("bfloat16", 0.5)):
        measured[name] = seconds
    monkeypatch.setattr(precision, "step_seconds", lambda name, *_: measured[name])
    return tmp_path


measured: dict[str, float] = {}


def test_a_run_keeps_to_one_choice(project, monkeypatch, load_stage):
    seen = set()
    stage = ""

    def note(module, *_):
        if isinstance(module, Backbone) and stage:
            seen.add((stage, torch.is_autocast_enabled("cpu")))

    hook = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        for name, round_name in STAGES:
            stage = name
            shard = "00" if name in ("cam", "labels", "propagate") else ""
            load_stage(name).main(Stage(name, "" if name == "cam" else round_name, shard))
            if name == "classify":  # the rest of the run is on another machine
                measured["bfloat16"] = 9.0
                shutil.rmtree(project / "weights")
    finally:
        hook.remove()
    networks = {"classify", "cam", "train", "propagate", "evaluate"}
    assert {(name, True) for name in networks} <= seen
    assert not (project / "weights").exists()
    for round_ in (R0, Round(1)):
        assert TensorFile(Store().weights(round_)).metadata["precision"] == "bfloat16"
