// The reviewer's part of the viewer: verdict, classes to drop, note; and export and import of all verdicts.
"use strict";

(function (auxseg) {
  const { element, byId, state, VERDICTS } = auxseg;
  let app = null;

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
    // Give a verdict on the image in the title, seen or still on its way, else on the card that has the focus; null
    // takes the reviewer's own back.
    give(verdict) {
      if (app.isTurning()) return auxseg.say("Not judged: the round is still loading.", true);
      const i = target();
      if (i < 0 || app.split !== "train") return;
      change(verdict && { verdict });
      auxseg.say(`${app.page.records.id[i]}: ${verdict ?? "no verdict"}`);
    },
    show,
    // Draw everything anew that tells of verdicts.
    repaint() {
      showStore();
      auxseg.gallery.refresh();
      show();
    },
  };

  function target() {
    if (state.get().image) return auxseg.viewer.row();
    const card = document.activeElement?.closest?.(".card");
    return card ? app.page.records.id.indexOf(card.dataset.id) : -1;
  }

  function change(patch) {
    const i = target();
    if (i < 0 || app.isTurning()) return; // of a round on its way the labels' hashes are not known
    auxseg.verdicts.judge(app.round, app.page.records.id[i], app.page.index.label[i], patch);
  }

  function show() {
    const i = auxseg.viewer.row();
    const isTrain = app.split === "train";
    byId("verdict-form").hidden = !isTrain;
    byId("verdict-none").hidden = isTrain;
    if (!isTrain || i < 0) return;
    const id = app.page.records.id[i];
    const own = auxseg.verdicts.own(app.round, id);
    const holding = own && !isStale(own, i) ? own : null;
    for (const verdict of VERDICTS) byId(verdict).setAttribute("aria-pressed", String(holding?.verdict === verdict));
    byId("stale").hidden = !own || Boolean(holding);
    byId("stale").textContent = byId("stale").hidden
      ? ""
      : `The label has changed since “${own.verdict}” was given (${own.date}): that verdict is stale and not applied.`;
    if (!hasFocus("note") || byId("stage").inert) byId("note").value = holding?.note ?? "";
    byId("by").textContent = own ? signed(own) : ["not judged", auxseg.verdicts.reviewer()].filter(Boolean).join(" by ");
    showOthers(auxseg.verdicts.others(app.round, id), i);
    const known = (holding?.drop_classes ?? []).filter((name) => app.base.classes.includes(name)); // not since renamed
    showDrops(i, known);
  }

  // Another tab's verdict must not take away what is being written here; to another image it does not belong.
  const hasFocus = (id) => document.activeElement === byId(id);
  const isStale = (row, i) => row.label_hash !== app.page.index.label[i];
  const signed = (row) => `${auxseg.verdicts.text(row)} by ${row.reviewer || "nobody named"}, ${row.date}`;

  function showOthers(others, i) {
    byId("others").hidden = others.length === 0;
    byId("others").replaceChildren(
      ...others.map((row) => {
        const note = row.note ? `: ${row.note}` : "";
        return element("li", {}, `${signed(row)}${isStale(row, i) ? " (stale)" : ""}${note}`);
      }),
    );
  }

  function showDrops(i, dropped) {
    const present = Object.keys(app.page.index.pixels[i]).map(Number);
    const focused = byId("drop").contains(document.activeElement) ? document.activeElement.value : null;
    byId("drop").replaceChildren(...present.map((index) => dropBox(index, dropped)));
    for (const box of byId("drop").querySelectorAll("input")) if (box.value === focused) box.focus();
    byId("drop-none").hidden = present.length > 0;
  }

  function dropBox(index, dropped) {
    const name = app.base.classes[index];
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
    const [file] = byId("file").files;
    byId("file").value = "";
    if (!file) return;
    try {
      const found = auxseg.verdicts.importCsv(await file.text());
      const here = new Set(Object.values(app.base.records).flatMap((records) => records.id));
      const known = found.filter((row) => here.has(row.image_id)).length;
      auxseg.say(`${found.length} verdicts read from ${file.name}, ${known} of them on images of this report`);
      app.refresh();
    } catch (error) {
      auxseg.say(`${file.name} was not read: ${error.message}`, true);
    }
  }
})(window.auxseg);
