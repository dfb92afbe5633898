"""The store and rounds: every artifact of dvc.yaml has a method, and no other code spells out its path."""

import ast
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auxseg.artifacts.rounds import R0, Round
from auxseg.artifacts.store import Permit, Store
from auxseg.errors import ParamsError
from auxseg.params.dag import chain
from auxseg.pipeline.instances import outputs

ROOT = Path(__file__).resolve().parents[2]
SPELT_OUT = re.compile(r"(^|[^\w./<>-])data/\w")
EXCEPTIONS = {
    "store.py",
    "weights.py",  # `auxseg weights`: what to call the file, for people
    "progress.py",  # entries of dvc.lock
}
SHARDS = ["00", "01"]
SCORES = ("counts", "areas", "confusion", "saliency", "confidence")
TABLES = (
    "rounds",
    "corrections",
    "guard",
    "classes",
    "miou",
    "last_round",
    "labels",
    "labels_by_round",
    "confusion",
    "last_confusion",
    "saliency",
    "confidence",
    "last_confidence",
)


def spelt_out(file: Path) -> list[str]:
    """Return the strings of a Python file, without docstrings, that spell out a path below data/."""
    tree = ast.parse(file.read_bytes())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in texts if id(node) not in alone and SPELT_OUT.search(node.value)]


@pytest.mark.parametrize("folder", ["src", "workflow"])
def test_only_the_store_spells_out_paths(folder):
    files = [path for path in (ROOT / folder).rglob("*.py") if path.name not in EXCEPTIONS]
    assert files
    assert {path.name: found for path in files if (found := spelt_out(path))} == {}


def test_a_spelt_out_path_would_be_seen(tmp_path):
    (tmp_path / "one.py").write_text(
        '"""data/labels"""\na = f"data/labels/{1}.zip"\nb = "x data/maps"\nc = "metadata/x"\n'
    )
    assert set(spelt_out(tmp_path / "one.py")) == {"data/labels/", "x data/maps"}


def test_the_store_knows_every_output_of_the_dag():
    store = Store()
    rounds, label_rounds = chain(2)
    values = {"rounds": rounds, "label_rounds": label_rounds, "shards": SHARDS}
    found = {store.manifest, store.mask_lists, store.contradictions, store.classifier_metrics, store.report}
    found |= {store.table(f"{name}.csv") for name in TABLES}
    found |= {store.table(name) for name in ("labels.parquet", "images.parquet", "metrics.json")}
    found |= {store.saliency(shard) for shard in SHARDS}
    for one in Round.up_to(Round(2)):
        found |= {store.weights(one), store.curve(one), store.uses(one), store.stale_verdicts(one)}
        found |= {store.corrected(one)}
        found |= {store.judgement(one), store.gate(one)}
        if not one.is_initial:
            found |= {store.predictions(one), store.evaluation(one)}
        for shard in SHARDS:
            found |= {store.maps(one, shard), store.labels(one, shard), store.saliency_labels(one, shard)}
            found |= {store.score(kind, one, shard) for kind in SCORES}
    declared = {Path(path) for path in outputs(values, ROOT / "dvc.yaml")}
    assert found == {path for path in declared if path.parts[1] != "code"}


def test_paths_of_folders_inputs_and_parts():
    """Those that are no output of a stage by themselves."""
    store, one = Store(), Round(12)
    wanted = {
        "data/raw.yaml": store.raw,
        "data/scenes": store.scenes,
        "data/manifest/dataset.json": store.dataset,
        "data/manifest/classes.csv": store.classes,
        "data/manifest/val": store.manifest_of("val"),
        "data/manifest/train/07.csv": store.records("train", "07"),
        "data/masks/07.csv": store.mask_list("07"),
        "data/masks/form.json": store.mask_form,
        "data/labels": store.label_rounds,
        "data/labels/r12": store.label_folder(one),
        "data/corrections": store.all_corrected,
        "data/guard": store.judgements,
        "data/evaluate": store.evaluations,
        "data/score": store.scores,
        "data/summary": store.tables,
        "review/verdicts.csv": store.verdicts,
        "review/corrections/corrections.csv": store.corrections,
        "review/corrections/r12/a b.png": store.correction(one, "a b"),
    }
    assert {path: Path(path) for path in wanted} == wanted


def test_a_permit_covers_files_and_folders():
    store = Store(permit=Permit("labels", "deps", frozenset({"data/labels/r1", "data/masks/00.csv"})))
    assert store.labels(Round(1), "07") == Path("data/labels/r1/07.zip")
    assert store.mask_list("00") == Path("data/masks/00.csv")
    for use in (lambda: store.labels(Round(10), "07"), lambda: store.mask_list("01"), lambda: store.mask_lists):
        with pytest.raises(ParamsError, match=r"stage 'labels' uses '.*' without declaring it; add it to its deps"):
            use()
    assert pickle.loads(pickle.dumps(store)) == store


def test_a_path_that_leaves_its_folder_is_not_declared():
    permit = Permit("labels", "outs", frozenset({"data/labels"}))
    permit.check("data/labels")
    permit.check("data/labels/r1/00.zip")
    for path in ("data/labels/../models", "data/labels/./r1", "data/labels2", "data"):
        with pytest.raises(ParamsError, match=r"add it to its outs$"):
            permit.check(path)


def test_a_root_comes_first(tmp_path):
    assert Store(tmp_path).weights(R0) == tmp_path / "data/models/r0.safetensors"


@given(st.integers(0, 9999))
def test_a_round_is_a_number_with_a_name(number):
    one = Round(number)
    assert Round.parse(str(one)) == one and f"{one}" == f"r{number}"
    assert one.is_initial == (number == 0)
    assert Round(number + 1).previous == one < Round(number + 1)
    assert Round.up_to(Round(2)) == [R0, Round(1), Round(2)]


@pytest.mark.parametrize(
    "name", ["", "r", "1", "r01", "r-1", "R1", "r1 ", "r1\n", "r²", "r\u0661", "r10000", "r" + 5000 * "9", "best"]
)
def test_what_is_no_round(name):
    with pytest.raises(ParamsError, match="is not a round; write r0, r1"):
        Round.parse(name)


def test_nothing_comes_before_r0():
    with pytest.raises(ValueError, match="the first one is r0"):
        _ = R0.previous
