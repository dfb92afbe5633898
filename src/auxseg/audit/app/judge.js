// The reviewer's part of the viewer: verdict, classes to drop, note. Also exports and imports all verdicts.
"use strict";

((auxseg) => {
  const { element, byId, state, VERDICTS } = auxseg;
  /** @type {App} */
  let app;

  auxseg.judge = {
    start(context) {
      app = context;
      for (const verdict of VERDICTS) byId(verdict).addEventListener("click", () => auxseg.judge.give(verdict));
      byId("clear").addEventListener("click", () => auxseg.judge.give(null));
      byId("note").addEventListener("input", () => change({ note: byId("note").value }));
      byId("reviewer").addEventListener("change", () => auxseg.verdicts.setReviewer(byId("reviewer").value));
      byId("export").addEventListener("click", exportCsv);
      byId("import").addEventListener("click", () => byId("file").click());
      byId("file").addEventListener("change", importCsv);
      showStore();
    },
    // Give a verdict on the image in the title, even while its picture is loading, else on the card that has the focus.
    // Null withdraws the reviewer's own verdict.
    give(verdict) {
      if (app.isTurning()) return auxseg.say("Not judged: the round is still loading.", true);
      const i = target();
      if (i < 0 || app.split !== "train") return;
      change(verdict && { verdict });
      auxseg.say(`${app.page.records.id[i]}: ${verdict ?? "no verdict"}`);
    },
    show,
    // Redraw everything that shows verdicts. A verdict may come from another tab before the first round has loaded.
    repaint() {
      showStore();
      if (!app.page) return;
      auxseg.gallery.refresh();
      show();
    },
  };

  function target() {
    if (state.get().image) return auxseg.viewer.row();
    const id = auxseg.gallery.focusedId();
    return id === null ? -1 : app.page.records.id.indexOf(id);
  }

  /** @param {VerdictPatch | null} patch null withdraws the verdict */
  function change(patch) {
    const i = target();
    if (i < 0 || app.isTurning()) return; // the hashes of a round's labels are unknown until it has loaded
    auxseg.verdicts.judge(app.round, app.page.records.id[i], app.page.index.label[i], patch);
  }

  function show() {
    const i = auxseg.viewer.row();
    const isTrain = app.split === "train";
    byId("verdict-form").hidden = !isTrain;
    byId("verdict-none").hidden = isTrain;
    if (!isTrain || i < 0) return;
    const id = app.page.records.id[i];
    const label = app.page.index.label[i];
    const own = auxseg.verdicts.own(app.round, id, label);
    const holding = own && !isStale(own, i) ? own : null;
    for (const verdict of VERDICTS) byId(verdict).setAttribute("aria-pressed", String(holding?.verdict === verdict));
    const stale = holding ? null : own;
    byId("stale").hidden = !stale;
    byId("stale").textContent = !stale
      ? ""
      : `Your verdict “${stale.verdict}” (${stale.date}) is on another label: it is stale and not applied.`;
    if (!hasFocus("note") || byId("stage").inert) byId("note").value = holding?.note ?? "";
    byId("by").textContent = own
      ? signed(own)
      : ["not judged", auxseg.verdicts.reviewer()].filter(Boolean).join(" by ");
    showOthers(auxseg.verdicts.others(app.round, id, label), i);
    // a class may have been renamed since
    const known = (holding?.drop_classes ?? []).filter((name) => app.base.classes.includes(name));
    showDrops(i, known);
  }

  // A verdict from another tab must not overwrite a note that is being written here, unless the image has changed.
  /** @param {"note" | "reviewer"} id */
  const hasFocus = (id) => document.activeElement === byId(id);
  /** @type {(row: VerdictRow, i: number) => boolean} */
  const isStale = (row, i) => row.label_hash !== app.page.index.label[i];
  /** @param {VerdictRow} row */
  const signed = (row) => `${auxseg.verdicts.text(row)} by ${row.reviewer || "an unnamed reviewer"}, ${row.date}`;

  /**
   * @param {VerdictRow[]} others
   * @param {number} i
   */
  function showOthers(others, i) {
    byId("others").hidden = others.length === 0;
    byId("others").replaceChildren(
      ...others.map((row) => {
        const note = row.note ? `: ${row.note}` : "";
        return element("li", {}, `${signed(row)}${isStale(row, i) ? " (stale)" : ""}${note}`);
      }),
    );
  }

  /**
   * @param {number} i
   * @param {string[]} dropped class names
   */
  function showDrops(i, dropped) {
    const present = Object.keys(app.page.index.pixels[i]).map(Number);
    auxseg.replaceBoxes(
      byId("drop"),
      present.map((index) => dropBox(index, dropped)),
    );
    byId("drop-none").hidden = present.length > 0;
  }

  /**
   * @param {number} index of the class
   * @param {string[]} dropped
   */
  function dropBox(index, dropped) {
    const name = app.base.classes[index];
    /** @type {HTMLInputElement} */
    const box = element("input", {
      type: "checkbox",
      onchange: () =>
        change({ drop_classes: box.checked ? [...dropped, name].sort() : dropped.filter((other) => other !== name) }),
    });
    box.value = name;
    box.checked = dropped.includes(name);
    return element("label", {}, box, auxseg.chip(app.base, index));
  }

  function showStore() {
    if (!hasFocus("reviewer")) byId("reviewer").value = auxseg.verdicts.reviewer();
    byId("export").textContent = `Export ${auxseg.verdicts.count()} verdicts`;
    byId("not-kept").hidden = auxseg.verdicts.isKept();
  }

  function exportCsv() {
    const url = URL.createObjectURL(new Blob([auxseg.verdicts.csv()], { type: "text/csv" }));
    const link = element("a", { href: url, download: "verdicts.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async function importCsv() {
    const file = byId("file").files?.[0];
    byId("file").value = "";
    if (!file) return;
    try {
      const { added, leftOut } = auxseg.verdicts.importCsv(await file.text());
      const here = new Set(Object.values(app.base.records).flatMap((records) => records.id));
      const known = added.filter((row) => here.has(row.image_id)).length;
      const read = `${added.length} verdicts read from ${file.name}, ${known} of them on images of this report`;
      auxseg.say(leftOut.length ? `${read}; ${leftOutText(leftOut)}` : read, leftOut.length > 0);
      app.refresh();
    } catch (error) {
      auxseg.say(`${file.name} was not read: ${auxseg.message(error)}`, true);
    }
  }

  /** @param {VerdictRow[]} leftOut */
  function leftOutText(leftOut) {
    const [{ round, image_id, drop_classes: dropped }] = leftOut;
    const unknown = dropped.find((name) => !app.base.classes.slice(1).includes(name));
    const first = `${round} ${image_id} drops “${unknown}”`;
    return `${leftOut.length} left out, because the report has no such class: the first, ${first}`;
  }
})(window.auxseg);
