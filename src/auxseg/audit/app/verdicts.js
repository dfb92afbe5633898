// Verdicts: stored in the browser under the data set's hash, exported and imported as review/verdicts.csv. Each is a
// separate entry of the browser's store, so that two tabs do not overwrite each other's verdicts.
"use strict";

((auxseg) => {
  const REVIEWER = "auxseg-reviewer";
  /** @type {Verdict[]} */
  const STRONGEST = ["reject", "accept"]; // where verdicts differ, the first of these counts
  /** @type {Map<string, Map<string, StoredRow>>} */
  const places = new Map(); // round and image -> label and reviewer -> row
  /** @type {Map<string, string | null>} */
  const unwritten = new Map(); // key in the browser's store -> text; null removes the key
  /** @type {(() => void)[]} */
  const listeners = [];
  let prefix = "";
  /** @type {string[]} */
  let classes = [];
  let reviewer = "";
  let isKept = true;

  /** @type {(round: string, image: string) => string} */
  const placeOf = (round, image) => `${round}\t${image}`;
  const allRows = () => [...places.values()].flatMap((judged) => [...judged.values()]);

  // The label is part of a row's identity: another project on the same images has the same rounds but other labels.
  /** @type {(row: VerdictRow) => string} */
  const judgedBy = (row) => row.label_hash + row.reviewer;
  /** @type {(row: VerdictRow) => string} */
  const keyOf = (row) => prefix + JSON.stringify([row.round, row.image_id, row.reviewer, row.label_hash]);
  /** @type {(row: VerdictRow) => StoredRow | undefined} */
  const find = (row) => places.get(placeOf(row.round, row.image_id))?.get(judgedBy(row));

  /** @param {StoredRow} row */
  function put(row) {
    const place = placeOf(row.round, row.image_id);
    const judged = places.get(place) ?? new Map();
    places.set(place, judged.set(judgedBy(row), row));
  }

  /** @param {VerdictRow} row */
  const remove = (row) => places.get(placeOf(row.round, row.image_id))?.delete(judgedBy(row));

  /** @param {VerdictRow} row */
  const time = (row) => auxseg.instant(row.date);

  /**
   * Each reviewer's verdict, as `latest` in src/auxseg/review/verdicts.py: the one on this label, else the newest one,
   * which is stale.
   * @param {string} round
   * @param {string} image
   * @param {string} labelHash
   */
  function latest(round, image, labelHash) {
    /** @type {Map<string, StoredRow>} */
    const found = new Map();
    /** @type {(row: StoredRow) => boolean} */
    const holds = (row) => row.label_hash === labelHash;
    for (const row of places.get(placeOf(round, image))?.values() ?? []) {
      const other = found.get(row.reviewer);
      if (!other || holds(row) || (!holds(other) && time(row) >= time(other))) found.set(row.reviewer, row);
    }
    return found;
  }

  /** @param {StoredRow} row */
  function keep(row) {
    put(row);
    unwritten.set(keyOf(row), JSON.stringify(row));
  }

  /** @param {VerdictRow} row */
  function drop(row) {
    remove(row);
    unwritten.set(keyOf(row), null);
  }

  const tell = () => {
    for (const listener of listeners) listener();
  };
  const tellSoon = auxseg.oncePerFrame(tell);

  function changed() {
    try {
      for (const [key, text] of unwritten) {
        if (text === null) localStorage.removeItem(key);
        else localStorage.setItem(key, text);
        unwritten.delete(key);
      }
      isKept = true;
    } catch {
      isKept = false; // private window, or full storage: the page says so, and the next change tries again
    }
    tell();
  }

  function readStore() {
    places.clear();
    for (const [key, text] of Object.entries(localStorage)) if (key.startsWith(prefix)) put(JSON.parse(text));
  }

  /**
   * Another tab has changed the store. The key is null if it has emptied the store.
   * @param {StorageEvent} event
   */
  function followStore({ key, oldValue, newValue }) {
    if (key === REVIEWER) reviewer = newValue ?? "";
    else if (key === null) readStore();
    else if (!key.startsWith(prefix)) return;
    else if (newValue !== null) put(JSON.parse(newValue));
    else if (oldValue !== null) remove(JSON.parse(oldValue));
    tellSoon();
  }

  auxseg.verdicts = {
    start(dataset, droppable) {
      classes = droppable;
      prefix = `auxseg-verdict-${dataset}`;
      window.addEventListener("storage", followStore);
      try {
        reviewer = localStorage.getItem(REVIEWER) || "";
        readStore();
      } catch {
        isKept = false;
      }
    },
    listen: (listener) => listeners.push(listener),
    isKept: () => isKept,
    count: () => allRows().length,
    reviewer: () => reviewer,
    // A reviewer who judged without a name and now gives one keeps those verdicts, under that name. Imported ones may be
    // somebody else's.
    setReviewer(name) {
      const isNameless = reviewer === "" && name.trim() !== "";
      const nameless = isNameless ? allRows().filter((row) => row.reviewer === "" && row.isGivenHere) : [];
      reviewer = name.trim();
      unwritten.set(REVIEWER, reviewer);
      nameless.forEach(drop);
      addAll(nameless.map((row) => ({ ...row, reviewer })));
      changed();
    },
    // The reviewer's own verdict on an image in a round, and one of each other reviewer.
    own: (round, image, labelHash) => latest(round, image, labelHash).get(reviewer),
    others: (round, image, labelHash) =>
      [...latest(round, image, labelHash).values()].filter((row) => row.reviewer !== reviewer),
    // Combine all verdicts on a label as decide_uses in src/auxseg/review/apply.py does: any rejection rejects, dropped
    // classes add up, and stale verdicts count only if there are no others. Null if there is no verdict.
    effect(round, image, labelHash) {
      const judged = [...latest(round, image, labelHash).values()];
      if (!judged.length) return null;
      const holding = judged.filter((row) => row.label_hash === labelHash);
      const counted = holding.length ? holding : judged;
      const verdict = STRONGEST.find((name) => counted.some((row) => row.verdict === name)) ?? "unsure";
      const dropped = verdict === "reject" ? [] : counted.flatMap((row) => row.drop_classes);
      return {
        verdict,
        drop_classes: [...new Set(dropped)].sort(),
        isStale: holding.length === 0,
        hasStale: holding.length < judged.length,
      };
    },
    // Verdict and dropped classes in a few words.
    text: ({ verdict, drop_classes: dropped }) => (dropped.length ? `${verdict} −${dropped.join(", ")}` : verdict),
    // Change fields of the reviewer's own verdict on a label; null withdraws it. Those on other labels stay as they are.
    judge(round, image, labelHash, patch) {
      const own = auxseg.verdicts.own(round, image, labelHash);
      const holding = own?.label_hash === labelHash ? own : null;
      if (patch !== null) {
        const { verdict = "unsure", drop_classes = [], note = "" } = { ...holding, ...patch };
        const date = `${new Date().toISOString().slice(0, 19)}Z`;
        const row = { image_id: image, label_hash: labelHash, round, verdict, drop_classes, note, reviewer, date };
        keep({ ...row, isGivenHere: true });
      } else if (holding) drop(holding);
      changed();
    },
    // All verdicts, as the text of review/verdicts.csv.
    csv: () => auxseg.writeVerdicts(allRows()),
    // Add the rows of a CSV, without those that drop unknown classes. If a reviewer has several verdicts on a label, the
    // newest counts.
    importCsv(text) {
      const found = auxseg.readVerdicts(text);
      /** @param {VerdictRow} row */
      const isUsable = (row) => row.drop_classes.every((name) => classes.includes(name));
      const added = found.filter(isUsable);
      addAll(added);
      changed();
      return { added, leftOut: found.filter((row) => !isUsable(row)) };
    },
  };

  /** @param {StoredRow[]} found */
  function addAll(found) {
    for (const row of found) {
      const before = find(row);
      const later = before ? time(row) - time(before) : Infinity;
      // the same verdict again, as from an export of this browser, is still one that was given here
      if (later >= 0) keep(later ? row : { ...before, ...row });
    }
  }
})(window.auxseg);
