// Verdicts: stored in the browser under the data set's hash, exported and imported as review/verdicts.csv. Each is a
// separate entry of the browser's store, so that two tabs do not overwrite each other's verdicts.
"use strict";

((auxseg) => {
  const REVIEWER = "auxseg-reviewer";
  /** @type {Verdict[]} */
  const STRONGEST = ["reject", "accept"]; // where verdicts differ, the first of these counts
  /** @type {Map<string, Map<string, VerdictRow>>} */
  const places = new Map(); // round and image -> reviewer -> row
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
  /** @type {(round: string, image: string) => VerdictRow[]} */
  const rowsOf = (round, image) => [...(places.get(placeOf(round, image))?.values() ?? [])];
  /** @type {(round: string, image: string) => VerdictRow | undefined} */
  const own = (round, image) => places.get(placeOf(round, image))?.get(reviewer);

  /** @type {(row: VerdictRow) => string} */
  const keyOf = (row) => prefix + JSON.stringify([row.round, row.image_id, row.reviewer]);

  /** @param {VerdictRow} row */
  function put(row) {
    const place = placeOf(row.round, row.image_id);
    const judged = places.get(place) ?? new Map();
    places.set(place, judged.set(row.reviewer, row));
  }

  /** @param {VerdictRow} row */
  const remove = (row) => places.get(placeOf(row.round, row.image_id))?.delete(row.reviewer);

  /** @param {VerdictRow} row */
  const time = (row) => auxseg.instant(row.date);

  /** @param {VerdictRow} row */
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
    // A reviewer who judged without a name and now gives one keeps those verdicts, under that name.
    setReviewer(name) {
      const nameless = reviewer === "" && name.trim() ? allRows().filter((row) => row.reviewer === "") : [];
      reviewer = name.trim();
      unwritten.set(REVIEWER, reviewer);
      nameless.forEach(drop);
      addAll(nameless.map((row) => ({ ...row, reviewer })));
      changed();
    },
    // The reviewer's own verdict on an image in a round, and the verdicts of others.
    own,
    others: (round, image) => rowsOf(round, image).filter((row) => row.reviewer !== reviewer),
    // Combine all verdicts on a label as decide_uses in src/auxseg/review/apply.py does: any rejection rejects, dropped
    // classes add up, and stale verdicts count only if there are no others. Null if there is no verdict.
    effect(round, image, labelHash) {
      const judged = rowsOf(round, image);
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
    // Change fields of the reviewer's own verdict on an image; null withdraws it.
    judge(round, image, labelHash, patch) {
      const before = own(round, image);
      if (patch === null) {
        if (before) drop(before);
      } else {
        const holding = before?.label_hash === labelHash ? before : null; // nothing of a stale verdict is kept
        const { verdict = "unsure", drop_classes = [], note = "" } = { ...holding, ...patch };
        const date = `${new Date().toISOString().slice(0, 19)}Z`;
        keep({ image_id: image, label_hash: labelHash, round, verdict, drop_classes, note, reviewer, date });
      }
      changed();
    },
    // All verdicts, as the text of review/verdicts.csv.
    csv: () => auxseg.writeVerdicts(allRows()),
    // Add the rows of a CSV. If a reviewer has several verdicts on an image in a round, the newest counts.
    importCsv(text) {
      const found = auxseg.readVerdicts(text, classes);
      addAll(found);
      changed();
      return found;
    },
  };

  /** @param {VerdictRow[]} found */
  function addAll(found) {
    for (const row of found) {
      const before = places.get(placeOf(row.round, row.image_id))?.get(row.reviewer);
      if (!before || time(row) >= time(before)) keep(row);
    }
  }
})(window.auxseg);
