// Tables: a click on a column's name sorts them, and a bar behind each number shows its share of the column's maximum.
"use strict";

(() => {
  /** @typedef {number | string | null} Value  null in an empty cell */

  const EMPTY = "-"; // what pages.py writes in an empty cell
  /** @type {Partial<Record<string, "ascending" | "descending">>} */
  const OTHER_WAY = { ascending: "descending", descending: "ascending" };

  /**
   * @param {HTMLTableRowElement} row
   * @param {number} column
   * @returns {Value}
   */
  function value(row, column) {
    const { dataset, textContent } = row.cells[column];
    if (dataset.number !== undefined) return Number(dataset.number);
    return textContent === EMPTY ? null : textContent;
  }

  /** @param {Value} a */
  const rank = (a) => (a === null ? 2 : Number(typeof a !== "number"));

  /**
   * Numbers come first, then texts, then empty cells, in either direction.
   * @param {Value} a
   * @param {Value} b
   * @param {number} sign
   */
  function compare(a, b, sign) {
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (typeof a === "string" && typeof b === "string") return sign * a.localeCompare(b, "en", { numeric: true });
    return rank(a) - rank(b);
  }

  /**
   * The first click puts the largest number or the first text at the top, the next click reverses the order.
   * @param {HTMLTableElement} table
   * @param {number} column
   * @param {HTMLTableCellElement} header
   */
  function sort(table, column, header) {
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: value(row, column) }));
    const first = rows.some(({ key }) => typeof key === "number") ? "descending" : "ascending";
    const order = OTHER_WAY[header.getAttribute("aria-sort") ?? ""] ?? first;
    for (const other of headers(table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    table.tBodies[0].append(...rows.sort((a, b) => compare(a.key, b.key, sign)).map(({ row }) => row));
  }

  /** @param {HTMLTableElement} table */
  const headers = (table) => [...(table.tHead?.rows[0].cells ?? [])];

  /** @type {NodeListOf<HTMLTableElement>} */
  const tables = document.querySelectorAll("table.data");
  for (const table of tables) {
    headers(table).forEach((header, column) => {
      header.querySelector("button")?.addEventListener("click", () => sort(table, column, header));
    });
    /** @type {NodeListOf<HTMLTableCellElement>} */
    const bars = table.querySelectorAll("td[data-share]");
    for (const cell of bars) cell.style.backgroundSize = `${cell.dataset.share}% 100%`;
  }
})();
