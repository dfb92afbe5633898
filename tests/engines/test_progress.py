"""The line that a stage logs when it starts: its position, and how long it and the rest will take."""

import csv
import importlib
import logging
import shutil
from pathlib import Path

import default_params
import pytest
import yaml
from stub import DVC_YAML

from auxseg.engines import progress
from auxseg.engines.estimates import COSTS, Estimates
from auxseg.engines.progress import position_line, remaining
from auxseg.params.dag import chain, shard_names
from auxseg.params.presets import read_preset
from auxseg.pipeline.declaration import fill, read_stages
from auxseg.pipeline.fingerprint import Fingerprints
from auxseg.pipeline.instances import Instance, instances

ROOT = Path(__file__).resolve().parents[2]

EACH = {kind: cost.seconds for kind, cost in COSTS.items()}
HEADER = "id,path,width,height,split,labels,sha256\n"


class Project:
    """A project in the current folder: dvc.yaml, values of params.yaml, and what stages would leave."""

    def __init__(self, dvc_yaml: str, rounds: int, shards: int):
        Path("dvc.yaml").write_text(dvc_yaml)
        self.values = yaml.safe_load(default_params.TEXT)
        self.values["rounds"], self.values["label_rounds"] = chain(rounds)
        self.values["shards"] = shard_names(shards)
        self.instances = instances(self.values)
        stages = read_stages()
        self.declared = {one.address: fill(stages[one.stage], one.template) for one in self.instances}

    def finish(self, *addresses: str) -> None:
        """Write the outputs of some instances, or of all."""
        for address in addresses or self.declared:
            for path in map(Path, self.declared[address].outputs):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir(exist_ok=True) if path.suffix == "" else path.write_text(address)

    def remove(self, path: str) -> None:
        """Remove an output, as DVC does before it runs a command."""
        shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()

    def record(self, *left_out: str) -> None:
        """Write dvc.lock, of the form that DVC gives it."""
        entries = ["schema: '2.0'\nstages:\n"]
        for one in self.instances:
            declared = self.declared[one.address]
            if one.address in left_out:
                continue
            entry = {"cmd": "x", "deps": [self._entry(path) for path in sorted(declared.inputs)]}
            if declared.sections:
                entry["params"] = {"params.yaml": {key: self.values[key] for key in sorted(declared.sections)}}
            entry["outs"] = [self._entry(path) for path in sorted(declared.outputs)]
            body = yaml.safe_dump(entry, sort_keys=False)
            entries.append(f"  {one.address}:\n" + "".join(f"    {line}\n" for line in body.splitlines()))
        Path("dvc.lock").write_text("".join(entries))

    def _entry(self, path: str) -> dict:
        md5 = progress.hashlib.md5(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else "0.dir"
        return {"path": path, "hash": "md5", "md5": md5, "size": 1}

    def images(self, train: int, val: int) -> None:
        """Write the manifest, the same number of images in each shard: of 500 x 375 pixels, shown at 320."""
        self.values["runtime"] |= {"max_side": 320, "min_side": 320}
        for split, count in (("train", train), ("val", val)):
            Path("data/manifest", split).mkdir(parents=True, exist_ok=True)
            rows = [f"{split}{n},{n}.jpg,500,375,{split},cat," + "0" * 64 for n in range(count)]
            for shard in self.values["shards"]:
                Path(f"data/manifest/{split}/{shard}.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))

    def line(self, address: str) -> str:
        """Return the line of an instance that starts now."""
        return position_line(self.values, *address.split("@")) if "@" in address else self.line(f"{address}@")

    def remaining(self, address: str) -> set[str]:
        """Return the addresses of what is still to be done when an instance starts."""
        running = [one.address for one in self.instances].index(address)
        return {self.instances[index].address for index in remaining(self.instances, running, self.values)}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()


@pytest.fixture
def stub():
    return Project(DVC_YAML, rounds=1, shards=2)


@pytest.fixture
def real():
    return Project((ROOT / "dvc.yaml").read_text(), rounds=2, shards=1)


def times(*rows: str) -> None:
    Path("logs/times.csv").write_text("".join(f"{row},1.0,100\n" for row in rows))


def test_a_first_run_counts_up_to_the_last(stub):
    order = ["code", "prepare", "labels@r0-00", "labels@r0-01", "train@r1", "labels@r1-00", "labels@r1-01", "summary"]
    for number, address in enumerate(order, start=1):
        assert stub.line(address) == f"stage {number} of 8: {address}"
        stub.finish(address)


def test_the_real_pipeline_has_the_26_stages_of_two_rounds(real):
    order = ["code", "prepare", "saliency@00", "classify", "cam@00", "labels@r0-00", "review@r0"]
    order += ["tag_score", "baseline", "score@r0-00"]
    for name in ("r1", "r2"):
        order += [f"train@{name}", f"evaluate@{name}", f"propagate@{name}-00", f"labels@{name}-00"]
        order += [f"review@{name}", f"guard@{name}", f"score@{name}-00"]
    for number, address in enumerate([*order, "summary", "audit"], start=1):
        assert real.line(address) == f"stage {number} of 26: {address}"
        real.finish(address)


FROM_TRAIN_R2 = {
    "train@r2",
    "propagate@r2-00",
    "labels@r2-00",
    "review@r2",
    "guard@r2",
    "score@r2-00",
    "evaluate@r2",
    "summary",
    "audit",
}


def test_what_needs_the_running_instance_is_to_be_done_too(real):
    real.finish()
    assert real.remaining("audit") == {"audit"}
    assert real.remaining("evaluate@r2") == {"evaluate@r2", "summary", "audit"}
    assert real.remaining("review@r1") == {"review@r1", *FROM_TRAIN_R2}
    assert real.remaining("prepare") == {one.address for one in real.instances} - {"code"}


def test_what_lacks_an_output_is_to_be_done_with_all_that_needs_it(real):
    real.finish()
    real.remove("data/curves/r2.csv")
    assert real.remaining("evaluate@r1") == {"evaluate@r1", *FROM_TRAIN_R2}
    assert real.line("evaluate@r1") == "stage 17 of 26: evaluate@r1"


def test_other_shards_with_other_parameters_are_to_be_done(stub):
    stub.finish()
    stub.record()
    assert stub.line("labels@r0-01") == "stage 6 of 8: labels@r0-01"
    stub.values["labels"]["prior_weight"] = 0.125
    assert stub.line("labels@r0-00") == "stage 3 of 8: labels@r0-00"
    assert stub.remaining("labels@r0-00") == set(stub.declared) - {"code", "prepare"}


def test_other_code_and_a_missing_record_count_as_other_parameters(stub):
    stub.finish()
    stub.record("labels@r1-01")
    assert stub.remaining("labels@r1-00") == {"labels@r1-00", "labels@r1-01"}
    stub.record()
    assert stub.remaining("labels@r1-00") == {"labels@r1-00"}
    Path("data/code/labels.txt").write_text("another")
    assert stub.remaining("labels@r1-00") == {one for one in stub.declared if one not in ("code", "prepare")}


def test_a_controller_records_late_so_that_its_lock_says_nothing(stub):
    stub.finish()
    stub.record("labels@r1-01")
    stub.values["pipeline"] = {"record": "controller"}
    assert stub.remaining("labels@r1-00") == {"labels@r1-00"}


def test_numbers_of_dvc_lock_are_those_of_params_yaml(stub):
    stub.finish()
    stub.values["labels"]["cam_threshold"] = "5e-5"  # as PyYAML reads it
    stub.record()
    text = Path("dvc.lock").read_text()
    assert "cam_threshold: 5e-5" in text
    Path("dvc.lock").write_text(text.replace("cam_threshold: 5e-5", "cam_threshold: 5e-05"))  # as DVC writes it
    assert stub.remaining("labels@r1-00") == {"labels@r1-00"}


def test_times_are_those_of_the_last_run(stub):
    stub.finish("code", "prepare", "labels@r0-00", "labels@r0-01")
    times(
        "labels,r0-00,2.0",
        "labels,r1-00,100.0",
        "labels,r1-01,40.0",
        "train,r1,999.0",
        "train,r1,240.0",
        "summary,,3.0",
    )
    assert stub.line("train@r1") == "stage 5 of 8: train@r1, about 4 min; about 6 min left in all"
    assert stub.line("summary@") == "stage 5 of 8: summary, about 3 s; about 6 min left in all"


def test_another_shard_or_round_lends_its_time_but_r0_has_no_crf(real):
    times("labels,r0-00,2.0", "labels,r1-00,50.0", "train,r1,10.0", "broken", "labels,r9-00,no number")
    estimates = Estimates(real.values)
    one = {one.address: one for one in real.instances}
    assert estimates.seconds(one["labels@r0-00"]) == 2
    assert estimates.seconds(one["labels@r2-00"]) == 50
    assert estimates.seconds(one["train@r2"]) == 10
    assert estimates.seconds(one["cam@00"]) is None


def test_a_long_list_of_times_is_read_from_its_end(real):
    times("cam,00,1.0", *["saliency,00,7.0"] * 60_000, "audit,,5.0")
    estimates = Estimates(real.values)
    one = {one.address: one for one in real.instances}
    assert [estimates.seconds(one[address]) for address in ("saliency@00", "audit", "cam@00")] == [7, 5, None]


def test_before_the_first_run_times_come_from_the_number_of_images(real):
    real.images(train=80, val=20)
    real.values["train"] |= {"epochs": 2, "batch_size": 8}
    real.values["train"]["augment"]["crop"] = 448
    estimates = Estimates(real.values)
    found = {one.address: estimates.seconds(one) for one in real.instances}
    assert found["saliency@00"] == pytest.approx(3 + 100 * EACH["saliency"])
    assert found["cam@00"] == pytest.approx(3 + 80 * EACH["cam"])
    assert found["labels@r0-00"] == pytest.approx(3 + 80 * EACH["labels of r0"])
    assert found["labels@r1-00"] == pytest.approx(3 + 80 * EACH["labels"])
    assert found["evaluate@r2"] == pytest.approx(3 + 20 * EACH["evaluate"])
    assert found["train@r1"] == pytest.approx(3 + 2 * 10 * 8 * EACH["train"] * 4)
    assert found["review@r0"] == found["summary"] == 3 + 3
    real.values["labels"] |= {"completion": "crf"}
    of_label = next(one for one in real.instances if one.address == "labels@r0-00")
    assert Estimates(real.values).seconds(of_label) == pytest.approx(3 + 80 * (EACH["labels of r0"] + 0.3))


def test_the_sizes_of_the_images_count(real):
    """A network sees an image at `runtime.max_side`, a CRF sees it as it is."""
    real.images(train=80, val=20)

    def seconds() -> list[float]:
        chosen = [one for one in real.instances if one.address in ("saliency@00", "cam@00", "evaluate@r1")]
        return [Estimates(real.values).seconds(one) - 3 for one in chosen]

    saliency, cam, evaluate = seconds()
    for path in Path("data/manifest").glob("*/00.csv"):
        path.write_text(path.read_text().replace(",500,375,", ",1000,750,"))
    assert seconds() == pytest.approx([saliency, cam, 4 * evaluate])
    real.values["runtime"] |= {"max_side": 160, "min_side": None}
    real.values["saliency"]["side"] = 160
    assert seconds() == pytest.approx([saliency / 4, cam / 4, 4 * evaluate])


def test_a_run_of_60_images_takes_about_14_minutes():
    """What benchmarks/own_data.csv has of it: 60 images and 60 others with masks, two rounds, one thread."""
    real = Project((ROOT / "dvc.yaml").read_text(), rounds=2, shards=1)
    real.values |= read_preset(ROOT / "params/presets/own-data.yaml")
    real.images(train=60, val=60)
    estimates = Estimates(real.values)
    rows = csv.DictReader((ROOT / "benchmarks/own_data.csv").read_text().splitlines())
    # the least: other programs on the machine about double the CPU minutes of a run
    measured = min(float(row["cpu_minutes"]) for row in rows if row["images"] == "60")
    assert sum(map(estimates.seconds, real.instances)) / 60 == pytest.approx(measured, rel=0.1)


def test_a_shard_counts_its_own_images_and_a_long_manifest_is_estimated():
    real = Project((ROOT / "dvc.yaml").read_text(), rounds=1, shards=2)
    real.images(train=800, val=0)
    with Path("data/manifest/train/01.csv").open("a") as stream:
        stream.write("".join(f"i{n},i{n}.jpg,500,375,train,cat," + "0" * 64 + "\n" for n in range(800)))
    estimates = Estimates(real.values)
    one = {one.address: one for one in real.instances}
    assert estimates.seconds(one["saliency@00"]) == pytest.approx(3 + 800 * EACH["saliency"], rel=0.02)
    assert estimates.seconds(one["saliency@01"]) == pytest.approx(3 + 1600 * EACH["saliency"], rel=0.02)
    assert estimates.seconds(one["audit"]) == pytest.approx(3 + 2400 * EACH["audit"], rel=0.02)


def test_an_empty_shard_has_no_images(real):
    real.images(train=0, val=0)
    assert Estimates(real.values).seconds(Instance("cam", "00", {"item.shard": "00"})) == 3


def test_too_many_instances_have_no_line(stub, monkeypatch):
    monkeypatch.setattr(progress, "MOST_INSTANCES", 7)
    assert stub.line("prepare") == ""


def test_it_is_no_part_of_any_stages_code():
    """An edit of it re-runs nothing: nothing that a stage writes comes of it."""
    code = Fingerprints(ROOT)
    for path in (ROOT / "workflow/stages").glob("*.py"):
        assert not {"auxseg.engines.progress", "auxseg.engines.estimates"} & set(code.closure(path.stem)), path


class TestInAStage:
    """What `stage.run` makes of it."""

    @pytest.fixture
    def run(self, stub, monkeypatch, capsys):
        """Run `main` as the stage `summary` in this process; return what it printed."""
        stage = importlib.import_module("auxseg.pipeline.stage")
        Path("params.yaml").write_text(default_params.TEXT)
        monkeypatch.setattr("sys.argv", ["stage"])
        monkeypatch.setattr("logging.basicConfig", self._handlers(monkeypatch))

        def run(name="summary") -> str:
            stage.run(name, lambda _: None)
            return capsys.readouterr().err

        level = logging.getLogger().level
        yield run
        logging.getLogger().setLevel(level)

    @staticmethod
    def _handlers(monkeypatch):
        """Return a `logging.basicConfig` whose handlers end with the test."""
        root = logging.getLogger()

        def configure(level, handlers=None, **_):
            if handlers is None:  # until the log has its file
                return
            monkeypatch.setattr(root, "handlers", handlers)
            root.setLevel(level)  # not the attribute: a logger remembers which levels it has found disabled

        return configure

    def test_the_line_comes_first(self, run):
        assert run().splitlines()[0] == "INFO: stage 1 of 11: summary"
        assert "stage 1 of 11: summary" in Path("logs/summary/all.log").read_text()

    def test_code_and_the_processes_of_a_training_are_quiet(self, run, monkeypatch):
        assert "of 11" not in run("code")
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
        monkeypatch.setenv("RANK", "0")
        assert "of 11" not in run()

    def test_no_stage_fails_because_of_it(self, run):
        Path("dvc.lock").write_bytes(b"\xff")
        assert "of 11" not in run()
        assert "summary: " in Path("logs/summary/all.log").read_text()
