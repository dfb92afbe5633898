"""`auxseg export onnx`, in a small project with a random network, and the script of docs/onnx.md that runs the file."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import small_project
import torch
from PIL import Image
from small_project import PARAMS

from auxseg.cli.main import main
from auxseg.models.auxsegnet import build_auxsegnet
from auxseg.models.weights import save_weights
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams

PAGE = Path(__file__).resolve().parents[2] / "docs/onnx.md"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)
    torch.manual_seed(0)
    backbone, network = BackboneParams(**PARAMS["backbone"]), NetworkParams(**PARAMS["network"])
    save_weights(Path("data/models/r1.safetensors"), build_auxsegnet(backbone, network, 2), {})


def test_the_script_of_the_page_runs_the_file(capsys):
    assert main(["export", "onnx", "--round", "r1", "--to", "out/model.onnx"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"out/model.onnx: \d+ MB, network of r1, 2 classes and the background; at 6 sizes its probabilities differ "
        r"from torch's by at most \S+",
        out[0],
    )
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 15
    Path("segment.py").write_text(code)
    rgb = np.random.default_rng(1).integers(0, 256, (50, 37, 3), np.uint8)
    Image.fromarray(rgb).save("photo.png")
    command = [sys.executable, "segment.py", "out/model.onnx", "photo.png", "classes.png"]
    # without the project on the path: the file has to run without it
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    classes, _ = onnxruntime.InferenceSession("out/model.onnx").run(None, {"images": rgb[None]})
    np.testing.assert_array_equal(np.asarray(Image.open("classes.png")), classes[0])
    shares = dict(re.findall(r"^(.*): (.*) % of the pixels$", done.stdout, re.MULTILINE))
    names = ("background", "cat", "dog")
    assert shares == {names[value]: f"{100 * (classes == value).mean():.1f}" for value in np.unique(classes)}


def test_refusals(capsys):
    for to in ("out", "out.pth"):
        assert main(["export", "onnx", "--round", "r1", "--to", to]) == 2
        assert f"--to {to}: give the name of a file that ends with .onnx" in capsys.readouterr().err
    assert main(["export", "onnx", "--round", "r0", "--to", "m.onnx"]) == 2
    assert "no such training; choose one of r1, or best" in capsys.readouterr().err
    Path("data/models/r1.safetensors").unlink()
    assert main(["export", "onnx", "--round", "r1", "--to", "m.onnx"]) == 2
    missing = "data/models/r1.safetensors: no such file; `dvc pull` it, or run `auxseg run` first"
    assert missing in capsys.readouterr().err
    assert not Path("m.onnx").exists()
