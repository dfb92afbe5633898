// One image, all its panels in step: zoom, pan and cursor are shared.
"use strict";

(function (auxseg) {
  const { element, byId, state } = auxseg;
  const MOST_ZOOM = 40;
  const CLICK_SLACK = 4; // pixels a pointer may move and still click
  let app = null;
  let named = ""; // id in the title; its picture may still be on its way
  let opened = null; // the picture: {i, id, image, photo, round, previous, stored}
  let panels = []; // {kind, canvas, layers}
  let view = { zoom: 1, x: 0.5, y: 0.5 }; // centre as shares of the image
  let drag = null;
  let ticket = 0;

  auxseg.viewer = {
    start(context) {
      app = context;
      new ResizeObserver(() => opened && arrange()).observe(byId("panels"));
      byId("close").addEventListener("click", () => state.set({ image: "" }));
      byId("next").addEventListener("click", () => auxseg.viewer.step(1));
      byId("previous").addEventListener("click", () => auxseg.viewer.step(-1));
      byId("zoom-in").addEventListener("click", () => auxseg.viewer.zoom(1.5));
      byId("zoom-out").addEventListener("click", () => auxseg.viewer.zoom(1 / 1.5));
      byId("zoom-reset").addEventListener("click", () => auxseg.viewer.zoom(0));
      byId("opacity").addEventListener("input", () => state.set({ opacity: byId("opacity").value }));
    },
    opened: () => opened,
    // The row of the image in the title, -1 where this split has none of that name.
    row: () => app.page.records.id.indexOf(named),
    // Show the image of the state; closes when it names none.
    async show() {
      const mine = ++ticket;
      const focused = document.activeElement;
      auxseg.viewer.leave();
      if (!state.get().image) return close();
      entitle(state.get().image);
      const i = auxseg.viewer.row();
      if (i < 0) return byId("panels").replaceChildren();
      const found = await open(i).catch((error) => {
        if (mine === ticket) byId("panels").replaceChildren();
        throw error;
      });
      if (mine !== ticket) return; // another one was asked for meanwhile
      enter(found, focused);
    },
    // Until the next picture has come nothing is open: what is in sight is not what the title names.
    leave() {
      opened = null;
      drag = null;
      byId("stage").inert = true;
    },
    step(by) {
      const next = app.rows[app.rows.indexOf(auxseg.viewer.row()) + by];
      if (next !== undefined) state.set({ image: app.page.records.id[next], pixel: "", zoom: "" });
    },
    // Make the layers anew: other panels, other classes.
    repaint() {
      const wanted = app.kinds.filter((kind) => state.get().panels.includes(kind));
      panels = wanted
        .map((kind) => ({ kind, layers: auxseg.paint(app, opened, kind), canvas: null }))
        .filter(({ layers }) => layers);
      byId("panels").replaceChildren(...panels.map(figure));
      arrange();
    },
    draw,
    zoom(factor) {
      if (factor === 0) view = { zoom: 1, x: 0.5, y: 0.5 };
      else view.zoom = Math.max(1, Math.min(MOST_ZOOM, view.zoom * factor));
      keepView();
    },
    // Bring a pixel into view.
    reveal(x, y) {
      if (view.zoom === 1) return;
      [view.x, view.y] = [(x + 0.5) / opened.image.width, (y + 0.5) / opened.image.height];
      keepView();
    },
  };

  function hide(isHidden) {
    byId("viewer").hidden = isHidden;
    byId("gallery").inert = !isHidden;
  }

  function close() {
    const position = app.rows.indexOf(auxseg.viewer.row());
    named = "";
    hide(true);
    byId("panels").replaceChildren();
    if (position >= 0) auxseg.gallery.focus(position);
  }

  // All that is known of an image before its picture has come, verdict included.
  function entitle(id) {
    if (id !== named) {
      named = id;
      view = parseZoom(state.get().zoom);
      auxseg.pixel.forget();
    }
    const i = auxseg.viewer.row();
    hide(false);
    byId("title").textContent = id;
    byId("viewer-message").textContent = i < 0 ? "This image is not in this split of the report." : "";
    byId("place").textContent = `${app.rows.indexOf(i) + 1 || "–"} of ${app.rows.length}`;
    auxseg.judge.show();
  }

  function enter(found, focused) {
    opened = found;
    byId("stage").inert = false;
    auxseg.viewer.repaint();
    auxseg.pixel.show();
    auxseg.details.show(opened);
    const viewer = byId("viewer");
    if (!viewer.contains(document.activeElement)) (viewer.contains(focused) ? focused : byId("title")).focus();
    for (const side of [1, -1]) loadNeighbour(side);
  }

  async function open(i) {
    const { records } = app.page;
    const { base, round, split } = app;
    const chunk = await auxseg.load(`images/${records.chunk[i]}`);
    const stored = chunk[records.slot[i]];
    const number = base.rounds.indexOf(round);
    const first = split === "train" ? 0 : 1;
    const previous = number > first ? base.rounds[number - 1] : null;
    const needed = [...new Set([base.rounds[first], previous, round])].filter(Boolean);
    const image = await auxseg.decodeImage(stored, records.tags[i], needed);
    const photo = new Image();
    photo.src = `data:image/jpeg;base64,${stored.photo}`;
    await photo.decode();
    return { i, id: records.id[i], image, photo, round, previous, stored };
  }

  function loadNeighbour(side) {
    const next = app.rows[app.rows.indexOf(opened.i) + side];
    if (next !== undefined) auxseg.load(`images/${app.page.records.chunk[next]}`).catch(() => {});
  }

  function figure(panel) {
    const title = auxseg.kindTitle(panel.kind, app.split);
    panel.canvas = element("canvas", {
      tabindex: 0,
      role: "img",
      "data-kind": panel.kind,
      "aria-label": `${title} of ${opened.id}; arrow keys move the pixel cursor, plus and minus zoom`,
    });
    listen(panel.canvas);
    return element("figure", {}, panel.canvas, element("figcaption", {}, title));
  }

  function listen(canvas) {
    const on = (name, act) => canvas.addEventListener(name, (event) => opened && act(event), { passive: false });
    on("wheel", (event) => {
      event.preventDefault();
      const [x, y] = toImage(canvas, event);
      const before = view.zoom;
      view.zoom = Math.max(1, Math.min(MOST_ZOOM, before * Math.exp(-event.deltaY / 400)));
      view.x = x - ((x - view.x) * before) / view.zoom; // the point under the pointer stays there
      view.y = y - ((y - view.y) * before) / view.zoom;
      keepView();
    });
    on("pointerdown", (event) => {
      if (event.button) return; // a menu pins no pixel
      drag = { x: event.clientX, y: event.clientY, view: { ...view }, isClick: true };
      canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      if (!drag) return auxseg.pixel.hover(...pixelAt(canvas, event));
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (Math.hypot(dx, dy) > CLICK_SLACK) drag.isClick = false;
      const scale = fit(canvas) * view.zoom;
      view.x = drag.view.x - dx / scale / opened.image.width;
      view.y = drag.view.y - dy / scale / opened.image.height;
      keepView();
    });
    on("pointerup", (event) => {
      if (drag?.isClick) auxseg.pixel.pin(...pixelAt(canvas, event));
      drag = null;
    });
    on("pointercancel", () => (drag = null));
    on("pointerleave", () => auxseg.pixel.hover(-1, -1));
    on("dblclick", () => auxseg.viewer.zoom(0));
  }

  // Choose the number of columns that makes the panels largest.
  function arrange() {
    const room = byId("panels");
    const { width, height } = opened.image;
    const caption = 26;
    let best = { columns: 1, scale: 0 };
    for (let columns = 1; columns <= panels.length; columns++) {
      const rows = Math.ceil(panels.length / columns);
      const scale = Math.min(room.clientWidth / columns / width, (room.clientHeight / rows - caption) / height);
      if (scale > best.scale) best = { columns, scale };
    }
    room.style.gridTemplateColumns = `repeat(${best.columns}, minmax(0, 1fr))`;
    const size = [Math.max(40, Math.floor(width * best.scale) - 8), Math.max(30, Math.floor(height * best.scale) - 8)];
    for (const { canvas } of panels) {
      [canvas.width, canvas.height] = size.map((side) => Math.round(side * devicePixelRatio));
      [canvas.style.width, canvas.style.height] = size.map((side) => `${side}px`);
    }
    draw();
  }

  const fit = (canvas) => Math.min(canvas.clientWidth / opened.image.width, canvas.clientHeight / opened.image.height);

  function toImage(canvas, event) {
    const box = canvas.getBoundingClientRect();
    const scale = fit(canvas) * view.zoom;
    return [
      view.x + (event.clientX - box.left - box.width / 2) / scale / opened.image.width,
      view.y + (event.clientY - box.top - box.height / 2) / scale / opened.image.height,
    ];
  }

  function pixelAt(canvas, event) {
    const [x, y] = toImage(canvas, event);
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return [-1, -1];
    return [Math.floor(x * opened.image.width), Math.floor(y * opened.image.height)];
  }

  function keepView() {
    const half = 0.5 / view.zoom;
    view.x = Math.max(half, Math.min(1 - half, view.x));
    view.y = Math.max(half, Math.min(1 - half, view.y));
    state.set({ zoom: view.zoom === 1 ? "" : [view.zoom, view.x, view.y].map((value) => value.toFixed(3)).join(",") });
    draw();
  }

  function parseZoom(text) {
    const [zoom, x, y] = text.split(",").map(Number);
    return zoom >= 1 && x >= 0 && y >= 0 ? { zoom: Math.min(zoom, MOST_ZOOM), x, y } : { zoom: 1, x: 0.5, y: 0.5 };
  }

  function draw() {
    if (!opened) return;
    const opacity = Number(state.get().opacity);
    byId("opacity").value = state.get().opacity;
    byId("zoom-value").textContent = `${Math.round(view.zoom * 100)} %`;
    for (const { canvas, layers } of panels) {
      const context = canvas.getContext("2d");
      const scale = fit(canvas) * view.zoom * devicePixelRatio;
      const { width, height } = opened.image;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.setTransform(
        scale,
        0,
        0,
        scale,
        canvas.width / 2 - view.x * width * scale,
        canvas.height / 2 - view.y * height * scale,
      );
      context.imageSmoothingEnabled = scale < 2;
      context.globalAlpha = 1;
      if (layers.below === "photo") context.drawImage(opened.photo, 0, 0, width, height);
      else put(context, layers.below);
      context.globalAlpha = opacity;
      if (layers.overlay) put(context, layers.overlay);
      context.globalAlpha = Math.max(0.75, opacity); // what is ignored stays to be seen
      if (layers.hatch) put(context, layers.hatch);
      context.globalAlpha = 1;
      cursor(context, scale);
    }
  }

  const put = (context, layer) => context.drawImage(layer.canvas, 0, 0, layer.width, layer.height);

  function cursor(context, scale) {
    const at = auxseg.pixel.at();
    if (!at) return;
    const reach = 9 / scale;
    for (const [colour, line] of [
      ["#000", 3],
      ["#fff", 1.2],
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = line / scale;
      context.beginPath();
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        context.moveTo(at.x + 0.5 + dx * reach * 0.35, at.y + 0.5 + dy * reach * 0.35);
        context.lineTo(at.x + 0.5 + dx * reach, at.y + 0.5 + dy * reach);
      }
      context.stroke();
    }
  }
})(window.auxseg);
