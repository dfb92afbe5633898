// The data of the report as Python writes it: JSON, passed on by scripts that call `auxseg.receive`.

type Split = "train" | "val";
type Colour = [red: number, green: number, blue: number];
type Unit = "share" | "count" | "deviations" | "text";
type Move = "added" | "removed" | "changed";

/** A kind of picture: KINDS of src/auxseg/audit/chunks.py. */
type Kind =
  | "photo"
  | "prior"
  | "cam0"
  | "cam"
  | "refined"
  | "saliency"
  | "label"
  | "corrected"
  | "prediction"
  | "change"
  | "mask";

/** What each script passes on: its name, which is also its path, -> its value. */
interface Scripts {
  "index/base": BaseIndex;
  [page: `index/${string}-${Split}`]: RoundIndex;
  [chunk: `images/${string}`]: StoredImage[];
}

/** index/base.js: src/auxseg/audit/index.py, `base_index`. */
interface BaseIndex {
  /** Hash that names the data set. */
  dataset: string;
  /** Class names by class index; 0 is the background. */
  classes: string[];
  palette: Colour[];
  changeColours: Record<Move, Colour>;
  /** From r0 on. */
  rounds: string[];
  best: string;
  warnings: string[];
  slips: string[];
  contradictions: string; // a sentence, or empty
  /** A split without images is absent. */
  records: Partial<Record<Split, Records>>;
  /** Images of the data set, shown or not. */
  totals: Record<Split, number>;
  figures: Figure[];
  rule: FusionRule;
  /** Thumbnail sheets: width and height of a cell in pixels, cells per row, and the kinds that all rounds share. */
  sheets: { cell: [width: number, height: number]; columns: number; base: Kind[] };
  kinds: { [page: `${string}-${Split}`]: Kind[] };
  provenance: Provenance;
}

/** The images of a split: one column per property, one entry per image. */
interface Records {
  id: string[];
  /** Class indices. */
  tags: number[][];
  /** Pixels. */
  width: number[];
  height: number[];
  chunk: string[];
  /** Position in the chunk. */
  slot: number[];
  shard: string[];
}

/** src/auxseg/audit/figures.py. Shares are in 0..1. */
interface Figure {
  key: string;
  title: string;
  unit: Unit;
  meaning: string;
  worst?: string;
}

/** The section `labels` of params.yaml, as far as the page uses it. */
interface FusionRule {
  initial: string;
  cam_threshold: number;
  background_threshold: number | null;
  completion: string;
  saliency_threshold: number;
  prior_weight: number;
}

/** src/auxseg/audit/provenance.py. Hashes are SHA-256; keys of the records are rounds. */
interface Provenance {
  origins: Origin[];
  params: Record<string, Record<string, unknown>>;
  weights: Record<string, string>;
  lengths: Record<string, string>;
  reviews: Record<string, string>;
  versions: Record<string, string>;
}

interface Origin {
  artifact: string;
  title: string;
  stage: string;
  /** May contain <round>, <before> and <shard>. */
  file: string;
  sections: string[];
  first: boolean;
  later: boolean;
  split: Split | "";
  weights: boolean;
}

/** index/<round>-<split>.js: src/auxseg/audit/index.py, `round_index`. One entry per image, as in `Records`. */
interface RoundIndex {
  figures: Record<string, (number | null)[]>;
  /** SHA-256 of the labels. */
  label: string[];
  /** Class index -> pixels of the label; a class without pixels is absent. */
  pixels: Record<string, number>[];
  /** Class indices. */
  missing: number[][];
  untagged: number[][];
  /** Class index -> pixels that changed since the last round; a class without changes is absent. */
  changes: Record<string, Changes>[];
}

type Changes = [added: number, removed: number, from: number, to: number];

/** images/<chunk>.js: src/auxseg/audit/chunks.py. Pictures are base64: PNGs, and the photo as a JPEG. */
interface StoredImage {
  id: string;
  path: string;
  photo: string;
  prior: string;
  mask: string | null;
  hashes: Hashes;
  rounds: Record<string, StoredRound>;
}

interface StoredRound {
  label: string;
  corrected: string | null;
  saliency: string | null;
  cam: StoredMap;
  refined: StoredMap | null;
  prediction: StoredMap | null;
  confidence: StoredMap | null;
  entropy: StoredMap | null;
  hashes: Hashes;
}

/** Artifact -> SHA-256. */
type Hashes = Record<string, string | null>;

/** base64 of the little-endian values: float16, or uint8 for predictions. Shape (h, w), with layers (L, h, w). */
interface StoredMap {
  shape: number[];
  data: string;
}
