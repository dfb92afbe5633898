// The page's own types: what its scripts offer each other as `window.auxseg`, in loading order.

interface Window {
  auxseg: Auxseg;
}

interface Auxseg {
  // data.js
  receive(name: string, value: unknown): void;
  load<Name extends keyof Scripts>(name: Name): Promise<Scripts[Name]>;
  bytes(base64: string): Uint8Array<ArrayBuffer>;
  element<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    attributes?: Attributes,
    ...children: (Node | string | null | undefined)[]
  ): HTMLElementTagNameMap[Tag];
  replaceBoxes(parent: HTMLElement, labels: HTMLElement[]): void;
  message(error: unknown): string;
  context(canvas: HTMLCanvasElement): CanvasRenderingContext2D;
  oncePerFrame(act: () => void): () => void;
  byId<Id extends keyof Ids>(id: Id): HTMLElementTagNameMap[Ids[Id]];

  // png.js, maps.js
  decodePng(bytes: Uint8Array<ArrayBuffer>): Promise<Grid<Uint8Array>>;
  decodeHalf(stored: StoredMap): FloatMap;
  decodeIndices(stored: StoredMap): Grid<Uint8Array>;
  sampler(map: FloatMap, width: number, height: number): Sampler;

  // decision.js
  IGNORE: number;
  decodeImage(stored: StoredImage, tags: number[], rounds: string[]): Promise<DecodedImage>;
  strongest(image: DecodedImage, found: DecodedRound, x: number, y: number): [best: Candidate, second: Candidate];
  decide(image: DecodedImage, found: DecodedRound, rule: FusionRule, x: number, y: number): number;
  camThreshold(rule: FusionRule, isSalient: boolean): number;
  countMismatches(image: DecodedImage, found: DecodedRound, rule: FusionRule): number;
  isFused(base: BaseIndex, split: Split, roundName: string): boolean;
  isCompleted(base: BaseIndex): boolean;
  nearest(map: Grid<Uint8Array | Float32Array>, image: Size, x: number, y: number): number;

  state: {
    get(): State;
    set(patch: Partial<State>): void;
    link(patch: Partial<State>): string;
    listen(listener: (changed: Set<string>) => void): void;
    toggle(key: "thumbs" | "panels" | "hidden", item: string): void;
    start(round: string): void;
    defaults(): State;
  };

  // rows.js
  figures(base: BaseIndex): Figure[];
  figure(base: BaseIndex, page: Page, key: string, i: number): number | string | null;
  formatFigure(value: number | string | null, unit: Unit): string;
  selectRows(base: BaseIndex, page: Page, state: State, verdictOf: App["verdictOf"]): number[];
  parseRange(text: string): Bounds;

  // verdicts_csv.js
  VERDICTS: Verdict[];
  instant(date: string): number;
  writeVerdicts(rows: VerdictRow[]): string;
  readVerdicts(text: string): VerdictRow[];

  verdicts: {
    start(dataset: string, droppable: string[]): void;
    listen(listener: () => void): void;
    isKept(): boolean;
    count(): number;
    reviewer(): string;
    setReviewer(name: string): void;
    own(round: string, image: string, labelHash: string): VerdictRow | undefined;
    others(round: string, image: string, labelHash: string): VerdictRow[];
    effect(round: string, image: string, labelHash: string): Effect | null;
    text(judged: Pick<VerdictRow, "verdict" | "drop_classes">): string;
    judge(round: string, image: string, labelHash: string, patch: VerdictPatch | null): void;
    csv(): string;
    importCsv(text: string): { added: VerdictRow[]; leftOut: VerdictRow[] };
  };

  // thumbs.js
  KINDS: Record<Kind, string>;
  kindTitle(kind: Kind, split: Split): string;
  thumbSize(base: BaseIndex, records: Records, i: number): Size;
  thumb(app: App, kind: Kind, i: number): HTMLElement;
  colour(base: BaseIndex, index: number): string;
  chip(base: BaseIndex, index: number, extra?: string): HTMLElement;

  gallery: Part & {
    render(): void;
    refresh(): void;
    focusedId(): string | null;
    toTop(): void;
    move(by: number): void;
    focus(position: number): void;
  };

  controls: Part & { render(): void };

  // summary.js
  summarise(base: BaseIndex, page: Page, rows: number[]): ClassSums[];
  renderSummary(app: App): void;

  // paint.js
  changeOf(before: number, now: number): Move | "same";
  paint(app: App, opened: Opened, kind: Kind): Layers | null;
  paintCursor(context: CanvasRenderingContext2D, at: Pixel, scale: number): void;

  viewer: Part & {
    opened(): Opened | null;
    row(): number;
    show(): Promise<void>;
    leave(): void;
    step(by: number): void;
    repaint(): void;
    draw(): void;
    zoom(factor: number): void;
    reveal(x: number, y: number): void;
  };

  pixel: Part & {
    at(): Pixel | null;
    forget(): void;
    hover(x: number, y: number): void;
    pin(x: number, y: number): void;
    move(dx: number, dy: number): void;
    show(): void;
  };

  judge: Part & {
    give(verdict: Verdict | null): void;
    show(): void;
    repaint(): void;
  };

  details: Part & {
    show(opened: Opened): void;
    showToggles(opened: Opened): void;
  };

  keys: Part;

  // main.js
  app: App;
  say(text: string, isAlert?: boolean): void;
}

/** A part of the page that is started once, as soon as index/base has arrived. */
interface Part {
  start(app: App): void;
}

/** What the page shows. `base`, and then `page`, `round` and `split`, are absent only until their scripts arrive. */
interface App {
  base: BaseIndex;
  page: Page;
  round: string;
  split: Split;
  /** Row numbers of the selected images in their order; a row is a position in the columns of `page`. */
  rows: number[];
  kinds: Kind[];
  thumbs: Kind[];
  /** The figures that the images are ordered by. */
  ranked: Figure[];
  /** Of the widest thumbnail, pixels. */
  thumbWidth: number;
  /** Position in `rows` of the card that has or had the focus. */
  focused: number | null;
  verdictOf(i: number): Effect | null;
  refresh(): Promise<void>;
  wanted(): { round: string; split: Split };
  isTurning(): boolean;
}

interface Page {
  index: RoundIndex;
  records: Records;
}

/** The view, as in the address. A type and not an interface, so that its keys can be listed. */
type State = {
  round: string;
  split: string;
  /** Keys of figures, the first decides; "-" before one puts the largest first. */
  sort: string[];
  /** "figure:least..most"; either bound may be empty. */
  ranges: string[];
  search: string;
  class: string;
  where: string;
  verdict: string;
  thumbs: string[];
  image: string;
  panels: string[];
  /** Names of the classes that are not painted. */
  hidden: string[];
  opacity: string;
  /** "x,y" of the pinned pixel. */
  pixel: string;
  /** "zoom,x,y": the factor, and the centre as shares of the image. */
  zoom: string;
};

/** A filter: bounds of a figure, empty where there is none. */
interface Bounds {
  key: string;
  least: string;
  most: string;
}

type Verdict = "accept" | "reject" | "unsure";

/** One row of review/verdicts.csv. */
interface VerdictRow {
  image_id: string;
  /** SHA-256 of the label that was judged. */
  label_hash: string;
  round: string;
  verdict: Verdict;
  /** Class names. */
  drop_classes: string[];
  note: string;
  reviewer: string;
  /** ISO 8601. */
  date: string;
}

/** A row in the browser's store, where one without `isGivenHere` was imported. */
interface StoredRow extends VerdictRow {
  isGivenHere?: boolean;
}

type VerdictPatch = Partial<Pick<VerdictRow, "verdict" | "drop_classes" | "note">>;

/** All verdicts on a label taken together. */
interface Effect {
  verdict: Verdict;
  drop_classes: string[];
  /** Whether all of them are stale. */
  isStale: boolean;
  hasStale: boolean;
}

/** Sums over some images of what belongs to one class; all but `images` and `missing` are pixels. */
interface ClassSums {
  name: string;
  index: number;
  images: number;
  pixels: number;
  missing: number;
  added: number;
  removed: number;
  from: number;
  to: number;
}

interface Size {
  width: number;
  height: number;
}

interface Pixel {
  x: number;
  y: number;
}

/** A map, row by row. */
interface Grid<Values> extends Size {
  values: Values;
}

/** A map of one or more layers, layer by layer. */
interface FloatMap extends Grid<Float32Array> {
  layers: number;
}

/** Value of a map at a pixel of the image. */
type Sampler = (layer: number, x: number, y: number) => number;

/** A class and its CAM at one pixel; index 0 where the image has no such class. */
interface Candidate {
  index: number;
  value: number;
}

/** Width, height and pixel values of an image; `rounds` has those that were asked for. */
interface DecodedImage extends Size {
  prior: Uint8Array;
  mask: Uint8Array | null;
  tags: number[];
  rounds: Record<string, DecodedRound>;
}

/** Values of one round: label and saliency at the image's size, the others at network resolution. */
interface DecodedRound {
  label: Uint8Array;
  corrected: Uint8Array | null;
  saliency: Uint8Array | null;
  /** Of the CAM, one per tag. */
  layers: number;
  camAt: Sampler;
  refinedAt: Sampler | null;
  prediction: Grid<Uint8Array> | null;
  confidence: FloatMap | null;
  entropy: FloatMap | null;
}

/** The image that the viewer shows. */
interface Opened {
  /** Its row. */
  i: number;
  id: string;
  image: DecodedImage;
  photo: HTMLImageElement;
  round: string;
  previous: string | null;
  stored: StoredImage;
}

/** A canvas and the size that it covers in pixels of the image. */
interface Layer extends Size {
  canvas: HTMLCanvasElement;
}

/** A panel, from bottom to top. */
interface Layers {
  below: "photo" | Layer;
  overlay?: Layer;
  hatch?: Layer;
}

type Attribute = string | number | boolean | null | undefined;

/** Attributes and listeners of an element. False, null and undefined leave an attribute out, true leaves it empty. */
interface Attributes {
  onclick?: (event: MouseEvent) => void;
  [name: string]: Attribute | ((event: never) => void);
}
