// Verdicts: kept in the browser under the data set's hash, exported and imported as review/verdicts.csv. Each has an
// entry of its own in the browser's store, so that two tabs do not overwrite each other's.
"use strict";

(function (auxseg) {
  const REVIEWER = "auxseg-reviewer";
  const STRONGEST = ["reject", "accept", "unsure"]; // of two reviewers' verdicts the one that counts
  const places = new Map(); // round and image -> Map of reviewer -> row
  const unwritten = new Map(); // key in the browser's store -> text, null to remove it
  const listeners = [];
  let prefix = "";
  let classes = [];
  let reviewer = "";
  let isKept = true;

  const placeOf = (round, image) => `${round}\t${image}`;
  const allRows = () => [...places.values()].flatMap((judged) => [...judged.values()]);
  const rowsOf = (round, image) => [...(places.get(placeOf(round, image))?.values() ?? [])];
  const own = (round, image) => places.get(placeOf(round, image))?.get(reviewer);

  const keyOf = (row) => prefix + JSON.stringify([row.round, row.image_id, row.reviewer]);

  function put(row) {
    const place = placeOf(row.round, row.image_id);
    if (!places.has(place)) places.set(place, new Map());
    places.get(place).set(row.reviewer, row);
  }

  const remove = (row) => places.get(placeOf(row.round, row.image_id))?.delete(row.reviewer);

  const time = (row) => auxseg.instant(row.date);

  function keep(row) {
    put(row);
    unwritten.set(keyOf(row), JSON.stringify(row));
  }

  function drop(row) {
    remove(row);
    unwritten.set(keyOf(row), null);
  }

  const tell = () => listeners.forEach((listener) => listener());
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
      isKept = false; // private window, or storage full: the page says so, and the next change tries again
    }
    tell();
  }

  function readStore() {
    places.clear();
    for (const [key, text] of Object.entries(localStorage)) if (key.startsWith(prefix)) put(JSON.parse(text));
  }

  // Another tab has changed the store; null for key says that it was emptied.
  function followStore({ key, oldValue, newValue }) {
    if (key === REVIEWER) reviewer = newValue ?? "";
    else if (key === null) readStore();
    else if (!key.startsWith(prefix)) return;
    else if (newValue === null) remove(JSON.parse(oldValue));
    else put(JSON.parse(newValue));
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
    // Somebody who judged without a name and gives one now takes those verdicts along.
    setReviewer(name) {
      const nameless = reviewer === "" && name.trim() ? allRows().filter((row) => row.reviewer === "") : [];
      reviewer = name.trim();
      unwritten.set(REVIEWER, reviewer);
      nameless.forEach(drop);
      addAll(nameless.map((row) => ({ ...row, reviewer })));
      changed();
    },
    // The reviewer's own verdict on an image in a round, and those of the others.
    own,
    others: (round, image) => rowsOf(round, image).filter((row) => row.reviewer !== reviewer),
    // What all verdicts on a label come to, as decide_uses in src/auxseg/review/apply.py has it: one rejection rejects,
    // dropped classes add up, and what is stale counts only where nothing else is. Null where nobody has judged.
    effect(round, image, labelHash) {
      const judged = rowsOf(round, image);
      if (!judged.length) return null;
      const holding = judged.filter((row) => row.label_hash === labelHash);
      const counted = holding.length ? holding : judged;
      const verdict = STRONGEST.find((name) => counted.some((row) => row.verdict === name));
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
    // Change fields of the reviewer's own verdict on an image; null takes it back.
    judge(round, image, labelHash, patch) {
      const before = own(round, image);
      if (patch === null) {
        if (before) drop(before);
      } else {
        const fresh = !before || before.label_hash !== labelHash; // of a stale verdict nothing is carried over
        const kept = fresh ? { verdict: "unsure", drop_classes: [], note: "" } : before;
        const { verdict, drop_classes, note } = { ...kept, ...patch };
        const date = `${new Date().toISOString().slice(0, 19)}Z`;
        keep({ image_id: image, label_hash: labelHash, round, verdict, drop_classes, note, reviewer, date });
      }
      changed();
    },
    // All verdicts as the text of review/verdicts.csv.
    csv: () => auxseg.writeVerdicts(allRows()),
    // Take the rows of a CSV in; of one round, image and reviewer the newest counts. Throws with the row's line.
    importCsv(text) {
      const found = auxseg.readVerdicts(text, classes);
      addAll(found);
      changed();
      return found;
    },
  };

  function addAll(found) {
    for (const row of found) {
      const before = places.get(placeOf(row.round, row.image_id))?.get(row.reviewer);
      if (!before || time(row) >= time(before)) keep(row);
    }
  }
})(window.auxseg);
