"""The commands of `auxseg`, each run in a small copy of the project."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import default_params
import pytest
import yaml
from dvc.repo import Repo
from PIL import Image

from auxseg.cli.main import main
from auxseg.errors import ResourceError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """params.yaml, dvc.yaml and one preset beside the demo, in a DVC project; the current folder."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "params.yaml").write_text(default_params.TEXT)
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data/raw.yaml", tmp_path / "data")
    text = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params/presets/mine.yaml").write_text(
        text.replace("format: scenes", "format: folder").replace("# The embedded", "# My own, not the embedded", 1)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUXSEG_DATA", raising=False)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / ".site"))
    Repo.init(".", no_scm=True).close()
    return tmp_path


def params() -> dict:
    return yaml.safe_load(Path("params.yaml").read_text())


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
    assert params()["rounds"] == {"r1": "r0", "r2": "r1", "r3": "r2"}
    assert params()["label_rounds"] == ["r0", "r1", "r2", "r3"]
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
    assert params()["shards"] == [f"{i:02d}" for i in range(12)]
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
    assert capsys.readouterr().err.startswith("error: data/curves/r2.csv: would be removed but is not in DVC's cache")
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


def test_an_empty_path_is_not_the_current_folder(project, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "labels", "--round", "r1", "--to", ""])
    assert stop.value.code == 2
    assert "argument --to: expected a path, got nothing" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["use"], ["table"], ["record"], ["rounds", "3"], ["audit", "table"]])
def test_outside_the_root_every_command_says_so(project, command, monkeypatch, capsys):
    monkeypatch.chdir(project / "params")
    assert main(command) == 2
    assert capsys.readouterr() == ("", "error: dvc.yaml: no such file here; run auxseg in the project's root, "
                                       "the folder that holds it\n")  # fmt: skip


def test_key_that_stands_twice_is_refused_by_all(project, capsys):
    """Rendering would else replace the first section's values by defaults."""
    before = Path("params.yaml").read_text() + "train: {}\n"
    Path("params.yaml").write_text(before)
    for command in (["check"], ["params", "render"], ["rounds", "3"]):
        assert main(command) == 2
        assert "(key 'train' stands in line " in capsys.readouterr().err
        assert Path("params.yaml").read_text() == before


def test_check(project, capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "params.yaml is valid\nnext: auxseg run\n"
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("rounds: {r1: r0, r2: r1}", "rounds: {1: 0, 2: 1}"))
    assert main(["check"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: params.yaml: key 'rounds': round 1 is no string")
    assert error.count("\n") == 1


def test_a_wrong_file_is_not_edited(project):
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("\nlabels:", "\nlables:"))
    before = Path("params.yaml").read_text()
    assert main(["rounds", "3"]) == 2
    assert Path("params.yaml").read_text() == before


def test_use_lists_copies_and_suggests(project, capsys):
    assert main(["use"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("demo ") and "embedded scenes" in line for line in listed)
    assert main(["use", "dmo"]) == 2
    assert "no preset 'dmo'; did you mean 'demo'?" in capsys.readouterr().err
    Path("params.yaml").write_text("rubbish: 1\n")
    assert main(["use", "demo"]) == 0
    assert Path("params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert "the one before is params.old.yaml" in capsys.readouterr().out
    assert main(["use", "smoke"]) == 0
    assert "the one before" not in capsys.readouterr().out  # it was the demo's


def test_use_with_data_remembers_and_scans(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "a.jpg").write_bytes(b"x")
    assert main(["use", "mine", "--data", str(photos)]) == 0
    assert yaml.safe_load(Path("params.local.yaml").read_text()) == {"data_root": str(photos)}
    assert yaml.safe_load(Path("data/raw.yaml").read_text())["files"] == 1
    (photos / "b.jpg").write_bytes(b"y")
    assert main(["scan"]) == 0
    assert "data/raw.yaml: 2 files" in capsys.readouterr().out
    # back to the demo: its own scan is the one in git
    assert main(["use", "demo"]) == 0
    assert Path("data/raw.yaml").read_bytes() == (ROOT / "data/raw.yaml").read_bytes()


def test_use_keeps_a_params_yaml_of_ones_own(project, capsys):
    assert main(["use", "demo"]) == 0
    own = Path("params.yaml").read_text().replace("tau: 1.0", "tau: 2.0")
    Path("params.yaml").write_text(own)
    capsys.readouterr()
    assert main(["use", "smoke"]) == 0
    assert "the one before is params.old.yaml" in capsys.readouterr().out
    assert main(["use", "demo"]) == 0  # from a preset as it came: nothing to keep
    assert "params.old.yaml" not in capsys.readouterr().out
    assert Path("params.old.yaml").read_text() == own


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ("data_root: /nowhere\n", "data root '/nowhere' is no folder"),
        ("data_root: ''\n", "names no folder"),
        ("data_root: 5\n", "expected `data_root: FOLDER`"),
        ("data_root: [\n", "not YAML"),
    ],
)
def test_use_with_a_wrong_data_root_changes_nothing(project, local, message, capsys):
    before = Path("params.yaml").read_text()
    Path("params.local.yaml").write_text(local)
    assert main(["use", "mine"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: params.local.yaml") and message in error and error.count("\n") == 1
    assert Path("params.yaml").read_text() == before


def test_an_empty_data_root_is_not_the_current_folder(project, monkeypatch, capsys):
    monkeypatch.setenv("AUXSEG_DATA", "")
    assert main(["use", "mine"]) == 2
    assert capsys.readouterr().err == "error: AUXSEG_DATA: names no folder; give the folder that holds the data set\n"


def test_scan_tells_where_photographs_are_expected(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    assert main(["use", "mine", "--data", str(photos)]) == 0
    assert f"note: {photos}/images is no folder; " in capsys.readouterr().out
    (photos / "images").mkdir()
    assert main(["scan"]) == 0
    assert "is no folder" not in capsys.readouterr().out


def test_scan_tells_what_is_in_a_folder_of_ones_own(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    (photos / "images").mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (4, 4)).save(photos / f"images/{name}.jpg")
    table = photos / "image_labels.csv"
    table.write_text('image_id,labels\na,"cat, dog"\nb,Dog;\nd,cat\n')
    assert main(["use", "mine", "--data", str(photos)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[2:] == [
        "2 train and 0 val images, 2 classes, 0 masks",
        "classes (from the labels): cat 1, dog 2",
        "note: labels: 'Dog' (1 image) is read as 'dog' (1 image)",
        "note: 1 row has no image in the folder and is left out: d",
        "note: 1 image has no row in the CSV and is left out: c; add rows, or segment them with `auxseg predict` once "
        "there is a model",
        "note: class 'dog' is in every train image: the classifier has nothing to tell it from, and its CAM means "
        "little; add images without it",
        "note: 2 classes have fewer than 10 train images: cat 1, dog 2",
        "next: auxseg run",
    ]
    table.write_text("image_id,labels\na,cat [old] one\n")
    assert main(["scan"]) == 0  # what is wrong is told; `prepare` will refuse it
    assert f"note: {table} line 2: label 'cat [old] one' has a [ inside; " in capsys.readouterr().out


@pytest.mark.parametrize("seeds", ["seeds/../truth", "truth/train"])
def test_masks_are_not_taken_as_seeds_or_maps(project, tmp_path_factory, seeds, capsys):
    """The figures would be called weakly supervised, and be those of the masks."""
    photos = tmp_path_factory.mktemp("photos")
    (photos / "truth/train").mkdir(parents=True)
    assert main(["use", "mine", "--data", str(photos)]) == 0
    values = params()
    values["data"]["folder"]["masks"] = "truth"
    values["labels"] |= {"initial": "precomputed", "path": seeds}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    assert main(["scan"]) == 2
    assert "key 'labels.path': " in (error := capsys.readouterr().err) and "holds the masks" in error
    assert params()["labels"]["sha256"] is None


def test_no_folder_of_masks_of_the_voc_layout_is_taken_as_seeds(project, tmp_path_factory, capsys):
    photos = tmp_path_factory.mktemp("photos")
    for name in ("SegmentationClass", "SegmentationClassAug"):
        (photos / name).mkdir()
    assert main(["use", "mine", "--data", str(photos)]) == 0
    values = params()
    values["data"]["format"] = "voc"
    values["labels"] |= {"initial": "precomputed", "path": "SegmentationClassAug"}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    assert main(["scan"]) == 2
    assert "SegmentationClassAug holds the masks" in capsys.readouterr().err


def test_what_the_machine_lacks_is_no_refusal(project, monkeypatch):
    """Exit code 1: another attempt may succeed; 2 would say that it cannot."""

    def starve() -> None:
        raise ResourceError("a worker process was killed")

    monkeypatch.setattr("auxseg.cli.scan.scan_root", starve)
    assert main(["scan"]) == 1


def test_use_with_data_alone_asks_for_the_preset(project, tmp_path, capsys):
    assert main(["use", "--data", str(tmp_path)]) == 2
    assert "--data: name a preset too" in capsys.readouterr().err


def test_a_folder_where_a_file_was_expected_is_one_line(project, capsys):
    for command in (["check", "params"], ["params", "render", "params"], ["verdicts", "import", "params"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: params: Is a directory") and error.count("\n") == 1


def test_use_without_a_data_root_says_what_is_next(project, capsys):
    assert main(["use", "mine"]) == 0
    assert "AUXSEG_DATA" in capsys.readouterr().out
    assert main(["scan"]) == 2
    assert capsys.readouterr().err.startswith("error: no data root")


def test_use_with_a_missing_folder_changes_nothing(project, capsys):
    before = Path("params.yaml").read_text()
    assert main(["use", "mine", "--data", "nowhere"]) == 2
    assert "error: --data nowhere: no such folder" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before
    assert not Path("params.local.yaml").exists()


def test_params_render_brings_a_file_up_to_date(project):
    wanted = Path("params.yaml").read_text()
    text = "".join(line for line in wanted.splitlines(True) if "prior_weight" not in line)
    Path("params.yaml").write_text(text)
    assert main(["params", "render"]) == 0
    assert Path("params.yaml").read_text() == wanted


def test_help_loads_nothing_heavy():
    program = "import sys; from auxseg.cli.main import build_parser; build_parser().format_help(); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert not {"torch", "dvc", "numpy", "pydantic", "yaml", "ruamel"} & set(result.stdout.split())


def test_use_with_data_refuses_another_folder_in_the_environment(project, monkeypatch, capsys):
    before = Path("params.yaml").read_text()
    monkeypatch.setenv("AUXSEG_DATA", str(project / "data"))
    assert main(["use", "mine", "--data", str(project / "params")]) == 2
    assert "AUXSEG_DATA is set and names another folder" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before


def last_line(capsys) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_every_command_ends_with_the_next_step(project, tmp_path_factory, capsys):
    assert main(["check"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["check", "params/presets/smoke.yaml"]) == 0
    assert last_line(capsys) == "next: auxseg use smoke"
    assert main(["rounds", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run (older rounds are not run again)"
    assert main(["shards", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run (every stage runs again)"
    assert main(["shards", "3"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["use"]) == 0
    assert last_line(capsys).startswith("next: auxseg use PRESET --data FOLDER")
    assert main(["use", "demo"]) == 0
    assert last_line(capsys) == "next: auxseg run"
    assert main(["use", "mine"]) == 0
    assert last_line(capsys) == "next: auxseg use mine --data FOLDER, or set AUXSEG_DATA and run auxseg scan"


def test_what_is_missing_of_a_data_set_is_the_next_step(project, tmp_path_factory, capsys):
    root = tmp_path_factory.mktemp("set")
    assert main(["use", "mine", "--data", str(root)]) == 0
    assert last_line(capsys) == f"next: add {root}/images and {root}/image_labels.csv, then auxseg scan"
    (root / "images").mkdir()
    assert main(["scan"]) == 0
    assert last_line(capsys) == f"next: add {root}/image_labels.csv, then auxseg scan"
    (root / "image_labels.csv").write_text("image_id,labels\n")
    assert main(["scan"]) == 0
    assert last_line(capsys) == "next: fix what the note says, then auxseg scan"
    Image.new("RGB", (4, 4)).save(root / "images/a.jpg")
    (root / "image_labels.csv").write_text("image_id,labels\na,cat\n")
    assert main(["scan"]) == 0
    assert last_line(capsys) == "next: auxseg run"
