"""Run one experiment: a clone of the project with the experiment's params.yaml, run up to the stage `summary`.

All clones share the project's DVC cache. What an experiment does not change is therefore restored, not computed: a row
of Table 4 trains its network, and takes saliency, classifier, CAMs and initial labels from an earlier row. An
interrupted run continues in its old clone, which is removed when its figures are stored.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import held_out
from clones import call, clone, share_cache
from experiment_files import Experiment

from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv
from auxseg.params.data import DataParams

TARGET = "summary"
COST = "minutes"


@dataclass(frozen=True)
class Bench:
    """Where experiments run."""

    project: Path
    """The project that is cloned; its DVC cache is the one that all share."""
    commit: str
    """The commit of it that is run."""
    work: Path
    """Folder of the clones."""
    data: Path | None
    """The data root; None for the embedded scenes."""

    def run(self, experiment: Experiment, hold_out: int) -> list[dict]:
        """Run one experiment; return the rows of the table rounds.csv, with `minutes`.

        Raises:
            subprocess.CalledProcessError: a stage failed; see the log beside the clone.
        """
        folder, log, started = self.folder(experiment), self.log(experiment), time.monotonic()
        folder.parent.mkdir(parents=True, exist_ok=True)
        clone(self.project, folder, self.commit)
        share_cache(self.project, folder)
        (folder / "params.yaml").write_text(experiment.text)
        data = self._data_root(experiment, hold_out)
        settings = {} if data is None else {"AUXSEG_DATA": str(data)}
        call(folder, "-m", "auxseg.cli.main", "scan", log=log, settings=settings)
        call(folder, "-m", "dvc", "--wait-for-lock", "repro", TARGET, log=log, settings=settings)
        rows = read_csv(Store(folder).table("rounds.csv"))
        if hold_out:
            rows = [{**row, "set": held_out.SET} for row in rows] + self._held_out_labels(folder, log, settings)
        minutes = (time.monotonic() - started) / 60
        return [{**row, COST: f"{minutes:.1f}"} for row in rows]

    def folder(self, experiment: Experiment) -> Path:
        """Return where the clone of an experiment is."""
        return self.work / f"{experiment.base}-{experiment.table}-{experiment.row}-seed{experiment.seed}"

    def log(self, experiment: Experiment) -> Path:
        """Return where the log of an experiment is; it is kept."""
        return self.folder(experiment).with_suffix(".log")

    def clear(self, experiment: Experiment) -> None:
        """Remove the clone; its artifacts are kept in the cache."""
        shutil.rmtree(self.folder(experiment))

    def _data_root(self, experiment: Experiment, hold_out: int) -> Path | None:
        if self.data is None or not hold_out:
            return self.data
        target = self.work / f"{experiment.base}-data"
        held_out.make_root(self.data, target, DataParams.parse(experiment.values["data"]), hold_out)
        return target

    def _held_out_labels(self, folder: Path, log: Path, settings: dict[str, str]) -> list[dict]:
        path = folder / "logs/held_out.csv"
        paths = {"PYTHONPATH": str(folder / "src")}
        script = str(Path(held_out.__file__).resolve())
        call(folder, script, "--to", str(path.relative_to(folder)), log=log, settings={**settings, **paths})
        return read_csv(path)
