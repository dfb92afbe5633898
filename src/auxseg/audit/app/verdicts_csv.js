// review/verdicts.csv as text: the CSV of Python's csv module, with the checks of src/auxseg/review/verdicts.py.
"use strict";

(function (auxseg) {
  const COLUMNS = ["image_id", "label_hash", "round", "verdict", "drop_classes", "note", "reviewer", "date"];
  const SEPARATOR = ";"; // between class names of drop_classes
  const HOURS = "(?:[01]\\d|2[0-3]):[0-5]\\d";
  const DATE = new RegExp(`^((?!0000)\\d{4}-\\d\\d-\\d\\d)(?:[T ](${HOURS}(?::[0-5]\\d(?:\\.\\d+)?)?)(Z|[+-]${HOURS})?)?$`);

  auxseg.VERDICTS = ["accept", "reject", "unsure"];

  // Milliseconds since 1970, NaN for anything but an ISO date. UTC if it has no zone, the start of the day if it has no time.
  auxseg.instant = function (text) {
    const [, day, hour = "00:00", zone = "Z"] = DATE.exec(text) ?? [];
    const start = Date.parse(`${day}T00:00Z`);
    const isDay = Number.isFinite(start) && new Date(start).toISOString().startsWith(day); // 30 February parses
    return isDay ? Date.parse(`${day}T${hour}${zone}`) : NaN;
  };

  // Rows, objects with COLUMNS as keys, as text in the order in which Python writes them.
  auxseg.writeVerdicts = function (rows) {
    const order = (a, b) =>
      Number(a.round.slice(1)) - Number(b.round.slice(1)) ||
      compare(a.image_id, b.image_id) ||
      compare(a.reviewer, b.reviewer);
    const cells = (row) => COLUMNS.map((name) => (name === "drop_classes" ? row[name].join(SEPARATOR) : row[name]));
    return write([COLUMNS, ...[...rows].sort(order).map(cells)]);
  };

  // The rows of a text, all of them checked; `classes` may be dropped. Throws with the line that the row ends in.
  auxseg.readVerdicts = function (text, classes) {
    const [{ cells: header } = { cells: [] }, ...body] = read(text);
    const missing = COLUMNS.find((name) => !header.includes(name));
    if (missing) throw new Error(`the table has no column ${missing}; it has ${header.join(", ")}`);
    return body.map(({ cells, line }) => {
      const complaint = (text) => new Error(`line ${line}${text}`);
      if (cells.length < header.length) throw complaint(` has no cell ${header[cells.length]}`);
      if (cells.length > header.length)
        throw complaint(" has more cells than the header; put a note that contains a comma in double quotes");
      const row = parse(Object.fromEntries(header.map((name, j) => [name, cells[j].trim()])));
      const fault = findFault(row, classes);
      if (fault) throw complaint(`: ${fault}`);
      return row;
    });
  };

  function parse(cells) {
    const row = Object.fromEntries(COLUMNS.map((name) => [name, cells[name]]));
    const dropped = row.drop_classes.split(SEPARATOR).map((name) => name.trim());
    return { ...row, drop_classes: dropped.filter(Boolean).sort() };
  }

  function findFault(row, classes) {
    if (!row.image_id) return "image_id is empty";
    if (!/^[0-9a-f]{64}$/.test(row.label_hash)) return "label_hash is not a SHA-256";
    if (!/^r(0|[1-9]\d*)$/.test(row.round)) return `"${row.round}" is not a round`;
    if (!auxseg.VERDICTS.includes(row.verdict))
      return `verdict "${row.verdict}" is not one of ${auxseg.VERDICTS.join(", ")}`;
    const unknown = row.drop_classes.find((name) => !classes.includes(name));
    if (unknown) return `drop_classes contains "${unknown}", but the classes are ${classes.join(", ")}`;
    if (Number.isNaN(auxseg.instant(row.date)))
      return `date "${row.date}" is not an ISO date; write it as 2026-01-31T12:00:00Z`;
    return null;
  }

  const compare = (a, b) => (a < b ? -1 : Number(a > b));

  function write(rows) {
    const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return rows.map((row) => `${row.map((value) => cell(String(value))).join(",")}\n`).join("");
  }

  // Rows: their cells, and the line that they end in. Quoted cells may hold commas, quotes and line ends.
  function read(text) {
    const rows = [];
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
