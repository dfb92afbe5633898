"""The paths of all artifacts. No other module spells out paths below data/.

A method returns the path of one artifact; it neither opens nor creates it. Every stage imports this module, so that a
change of its code runs every stage again: keep it to paths.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.errors import ParamsError


@dataclass(frozen=True)
class Permit:
    """What dvc.yaml declares for a stage instance: its inputs (`deps`) or its outputs (`outs`)."""

    stage: str
    kind: str
    """`deps` or `outs`."""
    paths: frozenset[str]
    """Files and folders, relative to the project's root."""

    def check(self, path: str) -> None:
        """Check that a path is declared, or inside a declared folder.

        Raises:
            ParamsError: it is not.
        """
        plain = os.path.normpath(path) == path  # a `..` leads out of a declared folder
        if not plain or not any(path == entry or path.startswith(entry + "/") for entry in self.paths):
            raise ParamsError(
                f"dvc.yaml: stage '{self.stage}' uses '{path}' without declaring it; add it to its {self.kind}"
            )


@dataclass(frozen=True)
class Store:
    """The paths of a project's artifacts. Picklable.

    A stage has two stores, one of its inputs and one of its outputs, and each gives only the paths that dvc.yaml
    declares. Without a permit a store gives every path; by convention, only stages write.
    """

    root: Path = field(default_factory=Path)
    permit: Permit | None = None

    def path(self, path: str) -> Path:
        """Return a path relative to the project's root as one that can be opened.

        Raises:
            ParamsError: the permit does not include it.
        """
        if self.permit is not None:
            self.permit.check(path)
        return self.root / path

    # The data set, written by `prepare`.

    @property
    def raw(self) -> Path:
        """The hash of the raw data folder."""
        return self.path("data/raw.yaml")

    @property
    def scenes(self) -> Path:
        """The folder of the embedded scenes, which are generated and not an artifact."""
        return self.path("data/scenes")

    @property
    def manifest(self) -> Path:
        """The folder of the manifest."""
        return self.path("data/manifest")

    @property
    def dataset(self) -> Path:
        """Format, mask policy and parameters of the data set, JSON."""
        return self.path("data/manifest/dataset.json")

    @property
    def classes(self) -> Path:
        """The class table, CSV."""
        return self.path("data/manifest/classes.csv")

    def manifest_of(self, split: str) -> Path:
        """Return the folder of the manifest of a split, `train` or `val`."""
        return self.path(f"data/manifest/{split}")

    def records(self, split: str, shard: str) -> Path:
        """Return the manifest of one shard of a split, CSV."""
        return self.path(f"data/manifest/{split}/{shard}.csv")

    @property
    def mask_lists(self) -> Path:
        """The folder of the lists of masks."""
        return self.path("data/masks")

    def mask_list(self, shard: str) -> Path:
        """Return the list of masks of one shard, CSV."""
        return self.path(f"data/masks/{shard}.csv")

    @property
    def mask_form(self) -> Path:
        """How the masks are stored, JSON."""
        return self.path("data/masks/form.json")

    @property
    def contradictions(self) -> Path:
        """The images whose mask contradicts their image-level labels, JSON."""
        return self.path("data/contradictions.json")

    def fingerprint(self, stage: str) -> Path:
        """Return the fingerprint of a stage's code, text."""
        return self.path(f"data/code/{stage}.txt")

    # Labels and what they are made of. A shard is one file.

    def saliency(self, shard: str) -> Path:
        """Return the saliency priors, zip of grey PNGs."""
        return self.path(f"data/saliency/{shard}.zip")

    def maps(self, round_: Round, shard: str) -> Path:
        """Return the CAMs of r0, or what the network of a later round makes of them, safetensors."""
        return self.path(f"data/maps/{round_}/{shard}.safetensors")

    def labels(self, round_: Round, shard: str) -> Path:
        """Return the pseudo labels, zip of palette PNGs."""
        return self.path(f"data/labels/{round_}/{shard}.zip")

    @property
    def label_rounds(self) -> Path:
        """The folder that has a folder of pseudo labels for every round."""
        return self.path("data/labels")

    def label_folder(self, round_: Round) -> Path:
        """Return the folder of a round's pseudo labels."""
        return self.path(f"data/labels/{round_}")

    def saliency_labels(self, round_: Round, shard: str) -> Path:
        """Return the saliency labels, zip of grey PNGs."""
        return self.path(f"data/saliency_labels/{round_}/{shard}.zip")

    # Decisions about labels.

    @property
    def verdicts(self) -> Path:
        """The reviewers' verdicts, CSV; in git, not written by a stage."""
        return self.path("review/verdicts.csv")

    @property
    def corrections(self) -> Path:
        """The table of labels corrected by hand, CSV; in git, not written by a stage."""
        return self.path("review/corrections/corrections.csv")

    def correction(self, round_: Round, image_id: str) -> Path:
        """Return one label corrected by hand, palette PNG; in git, not written by a stage."""
        return self.path(f"review/corrections/{round_}/{image_id}.png")

    @property
    def all_corrected(self) -> Path:
        """The folder of the corrected labels of every round."""
        return self.path("data/corrections")

    def corrected(self, round_: Round) -> Path:
        """Return the corrected labels that replace pseudo labels of a round in training, zip of palette PNGs."""
        return self.path(f"data/corrections/{round_}.zip")

    def uses(self, round_: Round) -> Path:
        """Return how training uses each label, CSV."""
        return self.path(f"data/review/{round_}.csv")

    def stale_verdicts(self, round_: Round) -> Path:
        """Return the verdicts on labels that have changed since, CSV."""
        return self.path(f"data/review/{round_}.stale.csv")

    @property
    def judgements(self) -> Path:
        """The folder of the guard's judgements."""
        return self.path("data/guard")

    def judgement(self, round_: Round) -> Path:
        """Return the guard's judgement, JSON."""
        return self.path(f"data/guard/{round_}.json")

    def gate(self, round_: Round) -> Path:
        """Return the line that says whether the next round may be trained, text."""
        return self.path(f"data/guard/{round_}.txt")

    # Networks.

    def weights(self, round_: Round) -> Path:
        """Return the weights of a network (r0: the classifier), safetensors."""
        return self.path(f"data/models/{round_}.safetensors")

    def curve(self, round_: Round) -> Path:
        """Return losses and learning rates of a training, CSV."""
        return self.path(f"data/curves/{round_}.csv")

    @property
    def classifier_metrics(self) -> Path:
        """Figures of the classifier, JSON."""
        return self.path("data/metrics/classifier.json")

    def predictions(self, round_: Round) -> Path:
        """Return the final predictions of val images, zip of palette PNGs."""
        return self.path(f"data/predictions/{round_}.zip")

    # Figures, and the report.

    @property
    def evaluations(self) -> Path:
        """The folder of the counts of every round's model."""
        return self.path("data/evaluate")

    def evaluation(self, round_: Round) -> Path:
        """Return the counts of a round's model on val, CSV."""
        return self.path(f"data/evaluate/{round_}.csv")

    @property
    def scores(self) -> Path:
        """The folder of the score files of every kind, round and shard."""
        return self.path("data/score")

    def score(self, kind: str, round_: Round, shard: str) -> Path:
        """Return one kind of score file (`counts`, `areas`, `confusion`, `saliency`, `confidence`), CSV."""
        return self.path(f"data/score/{kind}/{round_}/{shard}.csv")

    @property
    def tables(self) -> Path:
        """The folder of the tables over all rounds."""
        return self.path("data/summary")

    def table(self, name: str) -> Path:
        """Return a table over all rounds; `name` has its extension, as in `rounds.csv`."""
        return self.path(f"data/summary/{name}")

    @property
    def report(self) -> Path:
        """The folder of the report; its index.html opens in a browser."""
        return self.path("data/audit")
