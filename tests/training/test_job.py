"""The training of a stage: its length from the parameters, and the files it writes."""

import shutil
from pathlib import Path

import default_params
import numpy as np
import pytest
import timm
import torch
import yaml
from tiny_networks import tiny_classifier

from auxseg.artifacts.rounds import R0
from auxseg.artifacts.tables import read_csv
from auxseg.artifacts.tensors import TensorFile
from auxseg.params.backbone import BackboneParams
from auxseg.params.classify import ClassifyParams
from auxseg.params.runtime import RuntimeParams
from auxseg.pipeline.stage import Stage
from auxseg.training import job
from auxseg.training.checkpoint import CheckpointFile
from auxseg.training.distributed import Team
from auxseg.training.job import train_and_save
from auxseg.training.losses import classification_loss

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {"epochs": 3, "steps": None, "batch_size": 2, "batch_norm": "train", "optimiser": {"lr": 0.02}}


@pytest.fixture
def train(tmp_path, monkeypatch, photos):
    """Train the classifier of the stage `classify`; return its checkpoint."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", ".")
    values = yaml.safe_load(default_params.TEXT)
    values["classify"] = PARAMS
    Path("params.yaml").write_text(yaml.safe_dump(values))

    def run(**values):
        torch.manual_seed(0)
        network = tiny_classifier()

        def step(part, divisors):
            return {"loss": classification_loss(network(part.image), part.classes, divisors.images)}

        stage, params = Stage("classify"), ClassifyParams.parse({**PARAMS, **values})
        names = photos.classes.names
        return train_and_save(
            stage,
            network,
            step,
            photos.samples(labels=False),
            params,
            Team(torch.device("cpu")),
            round_=R0,
            classes=names,
            runtime=RuntimeParams(precision="bfloat16"),
        )

    return run


def test_weights_curve_and_checkpoint(train):
    checkpoint = train()
    assert TensorFile("data/models/r0.safetensors").metadata == {
        "classes": ["cat", "dog", "cow"],
        "precision": "bfloat16",
        "length": "6 steps of 2 images, 3.0 passes over 5 images (classify.epochs: 3)",
        "versions": {
            "numpy": np.__version__,
            "timm": timm.__version__,
            "torch": torch.__version__.partition("+")[0],
        },
    }
    curve = read_csv(Path("data/curves/r0.csv"))
    assert [row["epoch"] for row in curve] == ["1", "2", "3"]
    assert checkpoint.path.exists()  # the stage removes it after its other outputs


def learning_rates() -> list[float]:
    return [float(row["lr"]) for row in read_csv(Path("data/curves/r0.csv"))]


def test_the_optimiser_is_that_of_the_parameters(train):
    train().remove()
    rates = learning_rates()
    train(optimiser={"lr": 0.01})
    assert rates == pytest.approx([2 * rate for rate in learning_rates()], rel=1e-4)


@pytest.mark.parametrize(
    ("damage", "wanted"), [(lambda _: None, "bfloat16"), (lambda path: path.write_bytes(b"?"), "float32")]
)
def test_a_resumed_training_keeps_its_arithmetic(tmp_path, monkeypatch, damage, wanted):
    """On another machine, which would choose float32; a damaged checkpoint has no say."""
    monkeypatch.setattr(job, "choose_precision", lambda runtime, *_: RuntimeParams(precision=other(runtime)))

    def other(runtime):
        return "float32" if runtime.precision == "auto" else runtime.precision

    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", ".")
    Path("params.yaml").write_text(default_params.TEXT)
    device, backbone = torch.device("cpu"), BackboneParams(name="resnet18", weights="random")
    stage, auto = Stage("classify"), RuntimeParams(precision="auto")
    assert job.precision_of_run(stage, auto, backbone, device).precision == "float32"
    file = CheckpointFile.of(stage, device, "bfloat16")
    file.write({"x": np.zeros(3)}, {})
    damage(file.path)
    assert job.precision_of_run(stage, auto, backbone, device).precision == wanted
    assert job.precision_of_run(stage, RuntimeParams(precision="tf32"), backbone, device).precision == "tf32"
