// Tables that sort by a click on a column's name, with a bar behind every number: its share of the column's largest.
"use strict";

(function () {
  const EMPTY = "-"; // as pages.py writes a cell that holds nothing
  const OTHER_WAY = { ascending: "descending", descending: "ascending" };

  // A number, a text, or null for an empty cell.
  function value(row, column) {
    const { dataset, textContent } = row.cells[column];
    if (dataset.number !== undefined) return Number(dataset.number);
    return textContent === EMPTY ? null : textContent;
  }

  const rank = (a) => (a === null ? 2 : Number(typeof a !== "number"));

  // Numbers, then texts, then what is empty, whichever way each of them is sorted.
  function compare(a, b, sign) {
    if (a === null || rank(a) !== rank(b)) return rank(a) - rank(b);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  }

  // Numbers start with the largest, texts with A; another click turns the order round.
  function sort(table, column, header) {
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: value(row, column) }));
    const first = rows.some(({ key }) => typeof key === "number") ? "descending" : "ascending";
    const order = OTHER_WAY[header.getAttribute("aria-sort")] ?? first;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    table.tBodies[0].append(...rows.sort((a, b) => compare(a.key, b.key, sign)).map(({ row }) => row));
  }

  for (const table of document.querySelectorAll("table.data")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      header.querySelector("button").addEventListener("click", () => sort(table, column, header));
    });
    for (const cell of table.querySelectorAll("td[data-share]"))
      cell.style.backgroundSize = `${cell.dataset.share}% 100%`;
  }
})();
