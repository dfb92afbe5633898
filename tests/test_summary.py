"""The stage `summary` on score files written by hand: every table, byte for byte."""

import json
import shutil
from pathlib import Path

import default_params
import pytest

from auxseg.artifacts.archive import write_archive
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest
from auxseg.guard.figures import FIGURES
from auxseg.guard.record import Judgement
from auxseg.pipeline.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = ["r0", *(f"r{number}" for number in range(1, 11))]
"""Ten trainings: as text r10 would come before r2."""
COUNTS = "kind,class,correct,predicted,true,images\n"
FILES = {
    "areas": "image_id,class,pixels,components\n007,0,60,1\n007,1,30,2\n007,255,10,1\nNA,0,1234567,3\nNA,2,5,5\n",
    "counts": COUNTS
    + "labels,0,50,60,70,2\nlabels,1,20,30,25,2\nlabels,2,0,0,5,2\n"
    + "cam>0.10,0,10,20,70,2\ncam>0.10,1,5,10,25,2\ncam>0.10,2,1,4,5,2\n"
    + "cam>0.20,0,40,60,70,2\ncam>0.20,1,20,25,25,2\ncam>0.20,2,1,1,5,2\n",
    "confusion": "mask,label,pixels\n0,0,50\n0,255,20\n1,1,20\n1,0,5\n2,255,5\n",
    "saliency": "measure,level,images,sum\n"
    + "".join(f"{name},0,2,1.5\n" for name in ("mae", "s", "adaptive_f", "adaptive_e"))
    + "f,0,2,0.5\nf,1,2,1\ne,0,2,0.25\ne,1,2,2\n",
    "confidence": "measure,bin,count\n" + "".join(f"cam,{index},{index}\n" for index in range(20)),
}
FINAL = COUNTS + "model,0,60,70,75,3\nmodel,1,9,10,20,3\nmodel,2,1,20,5,3\nmodel+ms+crf,0,75,75,75,3\n"
FINAL += "model+ms+crf,1,20,20,20,3\nmodel+ms+crf,2,0,0,0,3\n"


@pytest.fixture(scope="module")
def summary(tmp_path_factory, load_stage):
    """The folder of tables; every round has the same score files, r1 and r10 have been evaluated, r10 is worse."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("summary"))
    shutil.copy(ROOT / "dvc.yaml", ".")
    text = default_params.TEXT.replace("{r1: r0, r2: r1}", str({f"r{n}": f"r{n - 1}" for n in range(1, 11)}))
    Path("params.yaml").write_text(text.replace("[r0, r1, r2]", str(ROUNDS)))
    tags = {"007": ("cat",), "NA": ()}
    records = [ImageRecord(key, f"{key}.jpg", 10, 10, "train", names, "") for key, names in tags.items()]
    write_manifest(Path("data/manifest"), records, ClassTable(("cat", "dog"), (1, 2)), ["00"])
    for name in ROUNDS:
        for kind, content in FILES.items():
            Path(f"data/score/{kind}/{name}").mkdir(parents=True)
            Path(f"data/score/{kind}/{name}/00.csv").write_text(content)
        good = name != "r10"
        figures = dict.fromkeys(FIGURES) | {"ignored": 0.1, "components": 2.5}
        judgement = Judgement(name, "r0", good, name if good else "r9", () if good else ("x, y",), (), figures, figures)
        judgement.write(Path(f"data/guard/{name}.json"))
    for name, count in (("r2", 1), ("r10", 2), ("r1", 0)):
        write_archive(Path(f"data/corrections/{name}.zip"), {f"{number}.png": b"" for number in range(count)})
    Path("data/evaluate").mkdir()
    for name in ("r1", "r10"):
        Path(f"data/evaluate/{name}.csv").write_text(FINAL)
    load_stage("summary").main(Stage("summary"))
    yield Path("data/summary").resolve()
    patch.undo()


def lines(block: str, rounds: list[str] = ROUNDS) -> str:
    """Return the lines of `block` for every round."""
    return "".join(block.replace("ROUND", name) for name in rounds)


LABELS = """\
ROUND,background,2,1234627,99.9964,0.000809932,2,2,90.9091,71.4286,66.6667
ROUND,cat,1,30,0.0024298,10,2,2,100,80,80
ROUND,dog,1,5,0.000404966,,5,2,,0,0
"""
ALL = "ROUND,all,2,1234662,99.9992,0.000809932,5.5,2,95.4545,50.4762,48.8889\n"
LABELS_HEADER = "round,class,images,pixels,share,ignore_share,components,measured,precision,recall,iou\n"
CONFUSION = """\
ROUND,background,background,50,71.4286
ROUND,background,cat,0,0
ROUND,background,dog,0,0
ROUND,background,ignore,20,28.5714
ROUND,cat,background,5,20
ROUND,cat,cat,20,80
ROUND,cat,dog,0,0
ROUND,cat,ignore,0,0
ROUND,dog,background,0,0
ROUND,dog,cat,0,0
ROUND,dog,dog,0,0
ROUND,dog,ignore,5,100
"""
SCORES = """\
ROUND,labels,train,2,3,39.881,75,50.4762
ROUND,cam alone (oracle threshold),train,2,3,43.7037,82.2222,52.381
"""
MODELS = """\
ROUND,model,val,3,3,39.204,60.2381,48.3333
ROUND,model+ms+crf,val,3,2,100,100,100
"""
MEASURED = "2,0.75,0.5,0.375,0.75,0.75,1,0.5625,0.75\n"


def test_labels(summary):
    assert (summary / "labels.csv").read_text() == LABELS_HEADER + lines(LABELS + ALL)
    assert (summary / "labels_by_round.csv").read_text() == LABELS_HEADER + lines(ALL)
    header = "round,mask,label,pixels,share\n"
    assert (summary / "confusion.csv").read_text() == header + lines(CONFUSION)
    assert (summary / "last_confusion.csv").read_text() == header + lines(CONFUSION, ["r10"])


def test_scores(summary):
    expected = lines(SCORES, ["r0"]) + lines(SCORES + MODELS, ["r1"]) + lines(SCORES, ROUNDS[2:-1])
    expected += lines(SCORES + MODELS, ["r10"])
    assert (summary / "rounds.csv").read_text() == "round,what,set,images,classes,miou,precision,recall\n" + expected
    rows = (summary / "classes.csv").read_text().splitlines()
    assert rows[:4] == [
        "round,what,class,iou,precision,recall",
        "r0,labels,background,62.5,83.3333,71.4286",
        "r0,labels,cat,57.1429,66.6667,80",
        "r0,labels,dog,0,,0",
    ]
    assert rows[-1] == "r10,model+ms+crf,dog,,,"
    assert (summary / "last_round.csv").read_text() == (
        "class,labels,model+ms+crf\nbackground,62.5,100\ncat,57.1429,100\ndog,0,\n"
    )


def test_miou_of_rounds(summary):
    middle = lines("ROUND,39.881,,,2,\n", ROUNDS[2:-1])
    assert (summary / "miou.csv").read_text() == (
        "round,labels,model,model+ms+crf,images_train,images_val\n"
        f"r0,39.881,,,2,\nr1,39.881,39.204,100,2,3\n{middle}r10,39.881,39.204,100,2,3\n"
    )
    metrics = json.loads((summary / "metrics.json").read_text())
    assert metrics["images"] == {"train": 2, "val": 3}
    miou = metrics["miou"]
    assert miou["r0"] == {"labels": 39.88, "cam alone (oracle threshold)": 43.7}
    assert miou["r10"] == {**miou["r0"], "model": 39.2, "model+ms+crf": 100.0}


def test_measures_of_saliency_and_confidence(summary):
    assert (summary / "saliency.csv").read_text() == (
        "round,what,images,mae,max_f,mean_f,adaptive_f,s,max_e,mean_e,adaptive_e\n"
        + f"r0,prior,{MEASURED}"
        + lines(f"ROUND,saliency label,{MEASURED}", ROUNDS[1:])
    )
    rows = (summary / "confidence.csv").read_text().splitlines()
    assert rows[0] == "round,measure,lower,upper,count,share" and len(rows) == 1 + 20 * len(ROUNDS)
    assert rows[4] == "r0,cam,0.15,0.2,3,1.57895" and rows[-1] == "r10,cam,0.95,1,19,10"
    rows = (summary / "last_confidence.csv").read_text().splitlines()
    assert rows[0] == "lower,cam,confidence" and rows[4] == "0.15,1.57895," and len(rows) == 21


def test_labels_corrected_by_hand(summary):
    expected = "round,corrected,images,share\nr2,1,2,50\nr10,2,2,100\n"
    assert (summary / "corrections.csv").read_text() == expected


def test_guard(summary):
    good = "ROUND,yes,ROUND,,,10,,,,2.5,,,,,,,,,,,,\n"
    assert (summary / "guard.csv").read_text() == (
        f"round,good,best,{','.join(FIGURES)},warning,slipped\n"
        + lines(good, ROUNDS[:-1])
        + 'r10,no,r9,,,10,,,,2.5,,,,,,,,,,,"round 10 is worse than the initial labels: x, y.",\n'
    )
