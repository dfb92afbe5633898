// CSV as Python's csv module writes and reads it.
"use strict";

(function (auxseg) {
  auxseg.writeCsv = function (rows) {
    const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return rows.map((row) => `${row.map((value) => cell(String(value))).join(",")}\n`).join("");
  };

  // Rows of cells; quoted cells may hold commas, quotes and line ends.
  auxseg.readCsv = function (text) {
    const rows = [];
    let row = [];
    let cell = "";
    let quoted = false;
    const endCell = () => {
      row.push(cell);
      cell = "";
    };
    const endRow = () => {
      endCell();
      if (row.length > 1 || row[0] !== "") rows.push(row);
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
    }
    if (cell !== "" || row.length) endRow();
    return rows;
  };
})(window.auxseg);
