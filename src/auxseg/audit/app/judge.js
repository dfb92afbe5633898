// The reviewer's part of the viewer: verdict, classes to drop, note; and export and import of all verdicts.
"use strict";

(function (auxseg) {
  const { element, byId, state } = auxseg;
  const VERDICTS = ["accept", "reject", "unsure"];
  let app = null;

  auxseg.judge = {
    start(context) {
      app = context;
      for (const verdict of VERDICTS) byId(verdict).addEventListener("click", () => auxseg.judge.give(verdict));
      byId("clear").addEventListener("click", () => auxseg.judge.give(null));
      byId("note").addEventListener("change", () => change({ note: byId("note").value }));
      byId("reviewer").addEventListener("change", () => auxseg.verdicts.setReviewer(byId("reviewer").value));
      byId("export").addEventListener("click", exportCsv);
      byId("import").addEventListener("click", () => byId("file").click());
      byId("file").addEventListener("change", importCsv);
      auxseg.verdicts.listen(showStore);
      showStore();
    },
    // Give a verdict on the image in the title, seen or still on its way, else on the card that has the focus; the
    // same one again takes it back.
    give(verdict) {
      const i = target();
      if (i < 0 || app.split !== "train") return;
      const before = app.verdictOf(i);
      const isSame = before && before.verdict === verdict && before.label_hash === app.page.index.label[i];
      change(verdict === null || isSame ? null : { verdict });
      auxseg.say(`${app.page.records.id[i]}: ${verdict === null || isSame ? "no verdict" : verdict}`);
    },
    show,
  };

  function target() {
    if (state.get().image) return auxseg.viewer.row();
    const card = document.activeElement?.closest?.(".card");
    return card ? app.page.records.id.indexOf(card.dataset.id) : -1;
  }

  function change(patch) {
    const i = target();
    if (i < 0) return;
    auxseg.verdicts.judge(app.round, app.page.records.id[i], app.page.index.label[i], patch);
    auxseg.gallery.refresh(i);
    show();
  }

  function show() {
    const i = auxseg.viewer.row();
    const isTrain = app.split === "train";
    byId("verdict-form").hidden = !isTrain;
    byId("verdict-none").hidden = isTrain;
    if (!isTrain || i < 0) return;
    const found = app.verdictOf(i);
    const isStale = Boolean(found) && found.label_hash !== app.page.index.label[i];
    for (const verdict of VERDICTS)
      byId(verdict).setAttribute("aria-pressed", String(!isStale && found?.verdict === verdict));
    byId("stale").hidden = !isStale;
    byId("stale").textContent = isStale
      ? `The label has changed since “${found.verdict}” was given (${found.date}): that verdict is stale and not applied.`
      : "";
    byId("note").value = found && !isStale ? found.note : "";
    byId("by").textContent = found
      ? `${found.verdict} by ${found.reviewer || "nobody named"}, ${found.date}`
      : "not judged";
    const dropped = found && !isStale ? found.drop_classes : [];
    const present = Object.keys(app.page.index.pixels[i]).map(Number);
    byId("drop").replaceChildren(...present.map((index) => dropBox(index, dropped)));
    byId("drop-none").hidden = present.length > 0;
  }

  function dropBox(index, dropped) {
    const name = app.base.classes[index];
    const box = element("input", {
      type: "checkbox",
      onchange: () => {
        change({ drop_classes: box.checked ? [...dropped, name].sort() : dropped.filter((other) => other !== name) });
        [...byId("drop").querySelectorAll("input")].find((other) => other.value === name)?.focus();
      },
    });
    box.value = name;
    box.checked = dropped.includes(name);
    return element("label", {}, box, auxseg.chip(app.base, index));
  }

  function showStore() {
    byId("reviewer").value = auxseg.verdicts.reviewer();
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
      const count = auxseg.verdicts.importCsv(await file.text());
      auxseg.say(`${count} verdicts read from ${file.name}`);
      app.refresh();
    } catch (error) {
      auxseg.say(`${file.name} was not read: ${error.message}`, true);
    }
  }
})(window.auxseg);
