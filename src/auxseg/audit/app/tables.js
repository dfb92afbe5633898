// Tables that sort by a click on a column's name, with a bar behind every number: its share of the column's largest.
"use strict";

(function () {
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.number === undefined ? cell.textContent : Number(cell.dataset.number);
  };

  function compare(a, b) {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what has no number comes last
    return typeof a === "number" ? b - a : a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, column, header) {
    const wasSorted = header.getAttribute("aria-sort") === "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", wasSorted ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(value(a, column), value(b, column)));
    table.tBodies[0].append(...(wasSorted ? rows.reverse() : rows));
  }

  for (const table of document.querySelectorAll("table.data")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      header.querySelector("button").addEventListener("click", () => sort(table, column, header));
    });
    for (const cell of table.querySelectorAll("td[data-share]"))
      cell.style.backgroundSize = `${cell.dataset.share}% 100%`;
  }
})();
