// review/verdicts.csv as text: CSV as Python's csv module writes it, with the checks of src/auxseg/review/verdicts.py.
"use strict";

((auxseg) => {
  /** @typedef {{ cells: string[], line: number }} Line  cells of a row, and the line on which the row ends */
  /** @typedef {Omit<VerdictRow, "verdict"> & { verdict: string }} UncheckedRow */

  /** @type {(keyof VerdictRow)[]} */
  const COLUMNS = ["image_id", "label_hash", "round", "verdict", "drop_classes", "note", "reviewer", "date"];
  const SEPARATOR = ";"; // between class names of drop_classes
  const HOURS = "(?:[01]\\d|2[0-3]):[0-5]\\d";
  const DATE = new RegExp(
    `^((?!0000)\\d{4}-\\d\\d-\\d\\d)(?:[T ](${HOURS}(?::[0-5]\\d(?:\\.\\d+)?)?)(Z|[+-]${HOURS})?)?$`,
  );

  auxseg.VERDICTS = ["accept", "reject", "unsure"];

  // Milliseconds since 1970; NaN if it is not an ISO date. Missing zone: UTC; missing time: start of the day.
  auxseg.instant = (text) => {
    const [, day, hour = "00:00", zone = "Z"] = DATE.exec(text) ?? [];
    const start = Date.parse(`${day}T00:00Z`);
    // some browsers parse 30 February as a day in March
    const isDay = Number.isFinite(start) && new Date(start).toISOString().startsWith(day);
    return isDay ? Date.parse(`${day}T${hour}${zone}`) : NaN;
  };

  // Rows as text, in the order in which Python writes them.
  auxseg.writeVerdicts = (rows) => {
    /** @type {(a: VerdictRow, b: VerdictRow) => number} */
    const order = (a, b) =>
      Number(a.round.slice(1)) - Number(b.round.slice(1)) ||
      compare(a.image_id, b.image_id) ||
      compare(a.reviewer, b.reviewer) ||
      compare(a.label_hash, b.label_hash);
    /** @type {(row: VerdictRow) => string[]} */
    const cells = (row) => COLUMNS.map((name) => (name === "drop_classes" ? row[name].join(SEPARATOR) : row[name]));
    return write([COLUMNS, ...[...rows].sort(order).map(cells)]);
  };

  // The rows of a text, all checked. An error names the line on which the row ends.
  auxseg.readVerdicts = (text) => {
    const [first, ...body] = read(text);
    const header = first?.cells ?? [];
    const missing = COLUMNS.find((name) => !header.includes(name));
    if (missing) throw new Error(`the table has no column ${missing}; it has ${header.join(", ")}`);
    return body.map(({ cells, line }) => {
      /** @type {(fault: string) => Error} */
      const complaint = (fault) => new Error(`line ${line}${fault}`);
      if (cells.length < header.length) throw complaint(` has no cell ${header[cells.length]}`);
      if (cells.length > header.length)
        throw complaint(" has more cells than the header; put a note that contains a comma in double quotes");
      const row = parse(Object.fromEntries(header.map((name, j) => [name, cells[j].trim()])));
      const fault = findFault(row);
      if (fault) throw complaint(`: ${fault}`);
      return /** @type {VerdictRow} */ (row);
    });
  };

  /**
   * @param {Record<string, string>} cells
   * @returns {UncheckedRow}
   */
  function parse({ image_id, label_hash, round, verdict, drop_classes, note, reviewer, date }) {
    const dropped = drop_classes.split(SEPARATOR).map((name) => name.trim());
    const kept = dropped.filter(Boolean).sort();
    return { image_id, label_hash, round, verdict, drop_classes: kept, note, reviewer, date };
  }

  /** @param {UncheckedRow} row */
  function findFault(row) {
    if (!row.image_id) return "image_id is empty";
    if (!/^[0-9a-f]{64}$/.test(row.label_hash)) return "label_hash is not a SHA-256";
    if (!/^r(0|[1-9]\d*)$/.test(row.round)) return `"${row.round}" is not a round`;
    if (!auxseg.VERDICTS.some((verdict) => verdict === row.verdict))
      return `verdict "${row.verdict}" is not one of ${auxseg.VERDICTS.join(", ")}`;
    if (Number.isNaN(auxseg.instant(row.date)))
      return `date "${row.date}" is not an ISO date; write it as 2026-01-31T12:00:00Z`;
    return null;
  }

  /** @type {(a: string, b: string) => number} */
  const compare = (a, b) => (a < b ? -1 : Number(a > b));

  /** @param {string[][]} rows */
  function write(rows) {
    /** @type {(text: string) => string} */
    const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return rows.map((row) => `${row.map((value) => cell(value)).join(",")}\n`).join("");
  }

  /**
   * Split a text into rows. Quoted cells may contain commas, quotes and line ends.
   * @param {string} text
   */
  function read(text) {
    /** @type {Line[]} */
    const rows = [];
    /** @type {string[]} */
    let row = [];
    let line = 1;
    let cell = "";
    let quoted = false;
    const endCell = () => {
      row.push(cell);
      cell = "";
    };
    const endRow = () => {
      endCell();
      if (row.length > 1 || row[0] !== "") rows.push({ cells: row, line });
      row = [];
    };
    const body = text.replace(/^\uFEFF/, "");
    for (let i = 0; i < body.length; i++) {
      const letter = body[i];
      if (quoted && letter === '"' && body[i + 1] === '"') cell += body[++i];
      else if (letter === '"' && (quoted || cell === "")) quoted = !quoted;
      else if (quoted) cell += letter;
      else if (letter === ",") endCell();
      else if (letter === "\n") endRow();
      else if (letter !== "\r") cell += letter;
      if (letter === "\n") line += 1;
    }
    if (cell !== "" || row.length) endRow();
    return rows;
  }
})(window.auxseg);
