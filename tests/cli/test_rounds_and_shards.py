"""`auxseg rounds` and `auxseg shards`: how they change params.yaml, and which outputs they remove."""

import hashlib
from pathlib import Path

import pytest
import yaml

from auxseg.cli.main import main
from auxseg.engines.dvc_internals import Repo
from auxseg.params.dag import PARAMS_FILE
from auxseg.params.yaml_file import read_yaml


def keep_in_dvc(files: dict[str, str]) -> None:
    """Write files as a stage would, and put them into DVC's cache."""
    with Repo(".") as repo:
        for path, text in files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)
            md5 = hashlib.md5(text.encode()).hexdigest()
            repo.cache.local.add(str(Path(path).absolute()), repo.fs, md5)


def test_rounds_keeps_comments_and_every_other_line(project, capsys):
    before = Path("params.yaml").read_text()
    assert main(["rounds", "3"]) == 0
    assert read_yaml(PARAMS_FILE)["rounds"] == {"r1": "r0", "r2": "r1", "r3": "r2"}
    assert read_yaml(PARAMS_FILE)["label_rounds"] == ["r0", "r1", "r2", "r3"]
    after = Path("params.yaml").read_text()
    changed = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert [new for _, new in changed] == [
        "rounds: {r1: r0, r2: r1, r3: r2}",
        "label_rounds: [r0, r1, r2, r3]",
    ]
    assert main(["rounds", "2"]) == 0
    assert Path("params.yaml").read_text() == before
    assert "rounds r1 to r2" in capsys.readouterr().out


def test_shards_are_strings(project):
    before = Path("params.yaml").read_text()
    assert main(["shards", "12"]) == 0
    assert read_yaml(PARAMS_FILE)["shards"] == [f"{i:02d}" for i in range(12)]
    assert 'shards: ["00", "01", "02"' in Path("params.yaml").read_text()
    assert main(["shards", "2"]) == 0
    assert Path("params.yaml").read_text() == before


def test_fewer_rounds_leave_no_ghost(project, capsys):
    gone = ["labels/r2/00.zip", "saliency_labels/r2/01.zip", "maps/r2/00.safetensors", "score/counts/r2/00.csv"]
    gone += ["models/r2.safetensors", "curves/r2.csv", "review/r2.csv", "predictions/r2.zip", "evaluate/r2.csv"]
    kept = [path.replace("r2", "r1") for path in gone] + ["models/r0.safetensors", "summary/rounds.csv"]
    keep_in_dvc({f"data/{path}": path for path in gone + kept})
    assert main(["rounds", "1"]) == 0
    left = {str(path.relative_to("data")) for path in Path("data").rglob("*") if path.is_file()}
    assert left == {*kept, "raw.yaml"}
    assert not Path("data/labels/r2").exists()
    assert "removed 9 outputs" in capsys.readouterr().out


def test_fewer_shards_leave_no_ghost(project):
    keep_in_dvc({f"data/labels/r0/{shard}.zip": shard for shard in ("00", "01")})
    keep_in_dvc({"data/saliency/01.zip": "x"})
    assert main(["shards", "1"]) == 0
    assert [str(path) for path in Path("data").rglob("*.zip")] == ["data/labels/r0/00.zip"]


def test_a_file_that_could_not_come_back_stays(project, capsys):
    keep_in_dvc({"data/models/r2.safetensors": "weights"})
    Path("data/curves").mkdir()
    Path("data/curves/r2.csv").write_text("never recorded")
    before = Path("params.yaml").read_text()
    assert main(["rounds", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: data/curves/r2.csv: would be removed, but no finished run")
    assert Path("params.yaml").read_text() == before
    assert Path("data/models/r2.safetensors").exists()


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5", "10001", "9" * 5000])
@pytest.mark.parametrize("command", ["rounds", "shards"])
def test_counts_are_whole_numbers_within_bounds(project, command, count, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, count])
    assert stop.value.code == 2
    most = {"rounds": 100, "shards": 10_000}[command]
    assert f"expected a whole number from 1 to {most}, got '{count}'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["rounds", "shards"])
@pytest.mark.parametrize(
    ("right", "typo", "message"),
    [
        ("\nlabels:", "\nlables:", "unknown key 'lables'; did you mean 'labels'?"),
        ("\n  epochs:", "\n  epoch:", "epoch'; did you mean 'epochs'?"),
    ],
)
def test_a_wrong_file_is_not_edited(project, command, right, typo, message, capsys):
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace(right, typo))
    before = Path("params.yaml").read_text()
    assert main([command, "3"]) == 2
    assert message in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before


@pytest.mark.parametrize("key", ["shards", "rounds", "label_rounds"])
@pytest.mark.parametrize("wrong", [None, "x"])
def test_a_missing_or_wrong_key_is_written_again(key, wrong, project):
    before = read_yaml(PARAMS_FILE)
    values = {name: value for name, value in before.items() if name != key}
    PARAMS_FILE.write_text(yaml.safe_dump(values if wrong is None else {**values, key: wrong}, sort_keys=False))
    command = ["shards", str(len(before["shards"]))] if key == "shards" else ["rounds", str(len(before["rounds"]))]
    assert main(command) == 0
    assert read_yaml(PARAMS_FILE) == before


def test_another_wrong_key_is_still_an_error(project, capsys):
    PARAMS_FILE.write_text(PARAMS_FILE.read_text() + "\nextra: 1\n")
    assert main(["shards", "3"]) == 2
    assert "unknown key 'extra'" in capsys.readouterr().err
