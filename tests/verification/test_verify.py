"""`auxseg verify` on a finished project, with a bit flipped in every kind of artifact."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from recorded_project import flip, record

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.cli.main import main
from auxseg.datasets.manifest import read_manifest
from auxseg.encoded import decode_indices, encode_label
from auxseg.engines.recorded import compare_with_lock


def outputs() -> list[Path]:
    """Return a file of every kind of artifact: the first in each folder of data/ that stages write to."""
    kinds: dict[Path, Path] = {}
    for path in sorted(Path("data").rglob("*")):
        if path.is_file():
            kinds.setdefault(path.parent, path)
    return list(kinds.values())


def test_a_finished_project_is_right(project, capsys):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".dvc" not in path.parts}
    assert main(["verify"]) == 0
    printed = capsys.readouterr().out
    assert "26 stage instances" in printed and "8 images; 10 labels of 2 rounds" in printed
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".dvc" not in path.parts}
    assert after == before


def test_a_flipped_bit_in_every_kind_of_artifact_is_named(project, capsys):
    flipped = outputs()
    assert len(flipped) >= 25
    for path in flipped:
        state = path.stat()
        flip(path)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # as a disk does: DVC sees nothing
    found = compare_with_lock()
    assert {one.path for one in found.wrong} == {path.as_posix() for path in flipped}
    assert {one.what for one in found.wrong} == {"other bytes"}
    assert main(["verify"]) == 1
    printed = capsys.readouterr().out
    assert all(f" {path}: other bytes (" in printed for path in flipped)


def test_who_writes_a_damaged_file_and_all_that_needs_it_runs_again(project, capsys):
    flip(Path("data/labels/r1/00.zip"))
    Path("data/predictions/r1.zip").unlink()
    assert main(["verify"]) == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "data/labels/r1/00.zip: other bytes (labels@r1-00 writes it)" in lines
    assert "data/predictions/r1.zip: missing (evaluate@r1 writes it)" in lines
    (again,) = [line for line in lines if line.startswith("to run again")]
    names = again.split(": ")[-1].split(", ")
    assert set(names) == {"labels@r1-00", "review@r1", "guard@r1", "score@r1-00", "evaluate@r1", "summary", "audit"}
    assert lines[-1].startswith("next: remove data/labels/r1/00.zip; then `auxseg run` restores")


def test_what_is_beside_the_recorded_files_is_named(project, capsys):
    Path("data/audit/surplus.js").write_text("x")
    assert main(["verify"]) == 1
    assert "data/audit/surplus.js: not recorded (audit writes it)" in capsys.readouterr().out


def test_a_foreign_file_in_a_folder_of_inputs_is_named(project, capsys):
    Path("data/labels/r0/.aXb.tmp").write_text("x")  # as DVC leaves it after a full disk: no content
    assert main(["verify"]) == 0
    capsys.readouterr()
    foreign = Path("data/labels/r0/extra.zip")
    foreign.write_text("x")
    assert main(["verify"]) == 1
    printed = capsys.readouterr().out
    assert f" {foreign}: not recorded (no stage writes it)" in printed
    assert "review@r0: data/labels/r0 changed since it ran" in printed
    assert f"next: remove {foreign}; then" in printed


def test_a_damaged_copy_in_the_cache_is_named(project):
    path = Path("data/models/r1.safetensors")
    flip(path)
    (wrong,) = compare_with_lock().wrong
    assert wrong.damaged_copy is None
    md5 = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["train@r1"]["outs"][1]["md5"]
    copy = Path(f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}")
    copy.chmod(0o644)
    flip(copy)
    (wrong,) = compare_with_lock().wrong
    assert wrong.damaged_copy == copy.absolute()


@pytest.mark.parametrize(
    ("path", "kind"), [("train1.png", "images that are not those"), ("mask-val0.png", "masks that are not those")]
)
def test_a_flipped_bit_in_the_data_set_is_named(project, capsys, path, kind):
    flip(Path("raw", path))
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("error") and kind in line for line in lines)
    assert any(f"raw/{path}: " in line for line in lines)
    assert lines[-1] == "next: put the files back, or `auxseg scan` to accept them, then `auxseg run`"


def test_a_recorded_label_that_fusion_does_not_make_is_named(project, capsys):
    """As when params.yaml is edited while `labels` runs: DVC calls it up to date."""
    path = Path("data/labels/r1/00.zip")
    members = dict(Archive(path))
    name = next(record.id for record in read_manifest(Path("data/manifest"), "train") if f"{record.id}.png" in members)
    label = np.array(decode_indices(members[f"{name}.png"]))
    label[3, 5:8] = (label[3, 5:8] + 1) % 3
    write_archive(path, {**members, f"{name}.png": encode_label(label)})
    record(project)
    assert main(["verify"]) == 1
    printed = capsys.readouterr().out
    assert f"{path}: '{name}.png': 3 pixels are not what fusion makes of the stored maps" in printed
    assert "next: `dvc repro --force --single-item labels@r1-00`, then `auxseg run`" in printed


def test_labels_belong_to_the_recorded_threshold(project, capsys):
    """A changed threshold makes the instances outdated, but their labels are right for the one before."""
    values = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump({**values, "labels": {**values["labels"], "cam_threshold": 0.77}}))
    assert main(["verify"]) == 1
    printed = capsys.readouterr().out
    assert "labels@r0-00: its parameters changed since it ran" in printed
    assert "fusion" not in printed
    record(project)  # the wrong threshold is recorded
    assert main(["verify"]) == 1
    assert "pixels are not what fusion makes" in capsys.readouterr().out


def test_a_changed_verdict_outdates_review(project, capsys):
    Path("review/verdicts.csv").write_text("other\n")
    assert main(["verify"]) == 1
    assert "review@r0: review/verdicts.csv changed since it ran" in capsys.readouterr().out


def test_an_archive_without_an_image_is_named(project, capsys):
    path = Path("data/saliency/01.zip")
    members = dict(Archive(path))
    name, content = members.popitem()
    write_archive(path, {**members, "other.png": content})
    record(project)
    assert main(["verify"]) == 1
    printed = capsys.readouterr().out
    assert f"{path}: lacks 1 image: '{name.removesuffix('.png')}'" in printed
    assert f"{path}: has, unlike the manifest, 1 image: 'other'" in printed


def test_a_missing_data_root_is_a_line(project, monkeypatch, capsys):
    monkeypatch.setenv("AUXSEG_DATA", "nowhere")
    assert main(["verify"]) == 1
    assert "AUXSEG_DATA: data root 'nowhere' is not a folder" in capsys.readouterr().out


def test_a_project_whose_record_is_gone_is_one_line(project, capsys):
    Path("dvc.lock").unlink()
    assert main(["verify"]) == 2
    assert capsys.readouterr().err.startswith("error: dvc.lock: no such file")


def test_a_half_written_lock_is_one_line_with_the_repair(project, capsys):
    content = Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(content[: content.rindex("md5:") + 3])
    assert main(["verify"]) == 2
    expected = "error: dvc.lock: incomplete, because a process was killed while it wrote; `auxseg check` repairs it\n"
    assert capsys.readouterr().err == expected


def forget(*addresses: str) -> None:
    """Remove instances from dvc.lock, as if the run had been killed before they ended."""
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    for address in addresses:
        del lock["stages"][address]
    Path("dvc.lock").write_text(yaml.safe_dump(lock))


def test_an_unfinished_run_is_said_to_be_one(project, capsys):
    forget("train@r1", "evaluate@r1", "summary", "audit")
    Path("data/models/r1.safetensors").unlink()
    Path("data/summary/rounds.csv").unlink()
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "the run is not finished: 4 of 26 stage instances are not recorded yet: "
        "train@r1, evaluate@r1, summary, audit; the others are checked"
    )
    # what was recorded with weights that are gone
    assert [line for line in lines if line.startswith("error")] == [
        "error         2  stage instances whose results do not belong to the present inputs"
    ]
    assert [line.split()[0] for line in lines if "changed since it ran" in line] == [
        "propagate@r1-00:",
        "propagate@r1-01:",
    ]
    assert lines[-1] == "next: auxseg run"


def test_an_unfinished_run_without_any_difference(project, capsys):
    forget("summary", "audit")
    assert main(["verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("error")]
    assert lines[-2:] == [
        "every artifact is what was recorded, every image what the manifest says",
        "next: auxseg run, which finishes the run",
    ]


def test_an_unknown_stage_is_one_line(project, capsys):
    assert main(["verify", "--deep", "label"]) == 2
    assert "--deep label: no such stage; did you mean 'labels'?" in capsys.readouterr().err
