// Verdicts: kept in the browser under the data set's hash, exported and imported as review/verdicts.csv.
"use strict";

(function (auxseg) {
  const COLUMNS = ["image_id", "label_hash", "round", "verdict", "drop_classes", "note", "reviewer", "date"];
  const VERDICTS = ["accept", "reject", "unsure"];
  const SEPARATOR = ";"; // between class names of drop_classes
  const rows = new Map(); // "round\timage\treviewer" -> row
  const newest = new Map(); // "round\timage" -> row
  const listeners = [];
  let store = "";
  let reviewer = "";
  let isKept = true;

  const key = (row) => [row.round, row.image_id, row.reviewer].join("\t");

  function put(row) {
    rows.set(key(row), row);
    rank(row.round, row.image_id);
  }

  function rank(round, image) {
    const own = [...rows.values()].filter((row) => row.round === round && row.image_id === image);
    const last = own.reduce((a, b) => (a && time(a) > time(b) ? a : b), null);
    if (last) newest.set(`${round}\t${image}`, last);
    else newest.delete(`${round}\t${image}`);
  }

  const time = (row) => Date.parse(row.date) || 0;

  function changed() {
    try {
      localStorage.setItem(store, JSON.stringify([...rows.values()]));
      localStorage.setItem("auxseg-reviewer", reviewer);
      isKept = true;
    } catch {
      isKept = false; // private window, or storage full: the page says so
    }
    for (const listener of listeners) listener();
  }

  auxseg.verdicts = {
    start(dataset) {
      store = `auxseg-verdicts-${dataset}`;
      try {
        reviewer = localStorage.getItem("auxseg-reviewer") || "";
        addAll(JSON.parse(localStorage.getItem(store) || "[]"));
      } catch {
        isKept = false;
      }
    },
    listen: (listener) => listeners.push(listener),
    isKept: () => isKept,
    count: () => rows.size,
    reviewer: () => reviewer,
    // Somebody who judged without a name and gives one now takes those verdicts along.
    setReviewer(name) {
      const nameless = reviewer === "" && name.trim() ? [...rows.values()].filter((row) => row.reviewer === "") : [];
      reviewer = name.trim();
      for (const row of nameless) rows.delete(key(row));
      addAll(nameless.map((row) => ({ ...row, reviewer })));
      changed();
    },
    // The newest verdict on an image in a round, of any reviewer.
    of: (round, image) => newest.get(`${round}\t${image}`),
    // Change fields of the reviewer's own verdict on an image; null takes it back.
    judge(round, image, labelHash, patch) {
      const before = rows.get(key({ round, image_id: image, reviewer }));
      if (patch === null) {
        rows.delete(key({ round, image_id: image, reviewer }));
        rank(round, image);
      } else {
        const fresh = !before || before.label_hash !== labelHash; // of a stale verdict nothing is carried over
        const kept = fresh ? { verdict: "accept", drop_classes: [], note: "" } : before;
        const { verdict, drop_classes, note } = { ...kept, ...patch };
        const date = `${new Date().toISOString().slice(0, 19)}Z`;
        put({ image_id: image, label_hash: labelHash, round, verdict, drop_classes, note, reviewer, date });
      }
      changed();
    },
    // All verdicts as the text of review/verdicts.csv, in the order in which Python writes it.
    csv() {
      const order = (a, b) =>
        Number(a.round.slice(1)) - Number(b.round.slice(1)) ||
        compare(a.image_id, b.image_id) ||
        compare(a.reviewer, b.reviewer);
      const cells = (row) => COLUMNS.map((name) => (name === "drop_classes" ? row[name].join(SEPARATOR) : row[name]));
      return auxseg.writeCsv([COLUMNS, ...[...rows.values()].sort(order).map(cells)]);
    },
    // Take the rows of a CSV in; of one round, image and reviewer the newest counts. Throws with the row's number.
    importCsv(text) {
      const [header = [], ...body] = auxseg.readCsv(text);
      const missing = COLUMNS.filter((name) => !header.includes(name));
      if (missing.length) throw new Error(`the table has no column ${missing[0]}; it has ${header.join(", ")}`);
      const found = body.map((cells, i) =>
        parseRow(Object.fromEntries(header.map((name, j) => [name, cells[j]])), i + 2),
      );
      addAll(found);
      changed();
      return found.length;
    },
  };

  function addAll(found) {
    for (const row of found) {
      const before = rows.get(key(row));
      if (!before || time(row) >= time(before)) rows.set(key(row), row);
    }
    newest.clear();
    for (const row of rows.values()) {
      const place = `${row.round}\t${row.image_id}`;
      if (!newest.has(place) || time(row) >= time(newest.get(place))) newest.set(place, row);
    }
  }

  function parseRow(cells, number) {
    const row = {};
    for (const name of COLUMNS) row[name] = (cells[name] ?? "").trim();
    if (!VERDICTS.includes(row.verdict))
      throw new Error(`row ${number}: verdict "${row.verdict}" is none of ${VERDICTS.join(", ")}`);
    if (!/^[0-9a-f]{64}$/.test(row.label_hash)) throw new Error(`row ${number}: label_hash is no SHA-256`);
    if (!/^r\d+$/.test(row.round)) throw new Error(`row ${number}: "${row.round}" is no round`);
    row.drop_classes = row.drop_classes
      .split(SEPARATOR)
      .map((name) => name.trim())
      .filter(Boolean);
    return row;
  }

  const compare = (a, b) => (a < b ? -1 : Number(a > b));
})(window.auxseg);
