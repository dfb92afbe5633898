"""`auxseg weights import`: what is rejected before torch is loaded. The rest: tests/models/test_importing.py."""

import subprocess
import sys

import pytest

from auxseg.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.pth", "--backbone", "resnet38"], "none.pth: no such file"),
        (["folder.pth", "--backbone", "resnet38"], "folder.pth: a folder"),
        (["empty.pth", "--network", "classifier"], "empty.pth: an empty file; download the weights again"),
        (["some.pth", "--backbone", "resnet83"], "--backbone resnet83: no such backbone; did you mean 'resnet38'?"),
    ],
)
def test_rejections(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.pth").mkdir()
    (tmp_path / "empty.pth").touch()
    (tmp_path / "some.pth").write_bytes(b"some")
    assert main(["weights", "import", *arguments, "--to", "out.safetensors"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out.safetensors").exists()


def test_rejections_wait_for_no_torch(tmp_path):
    program = (
        "import sys; from auxseg.cli.main import main; "
        "main(['weights', 'import', 'none.pth', '--backbone', 'resnet38', '--to', 'out.safetensors']); "
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "none.pth: no such file" in run.stderr and run.stdout == "False\n"
