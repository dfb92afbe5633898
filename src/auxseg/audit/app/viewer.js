// One image and its panels, which share zoom, position and cursor.
"use strict";

((auxseg) => {
  const { element, byId, state } = auxseg;
  const MOST_ZOOM = 40;
  const CLICK_SLACK = 4; // pixels that the pointer may move during a click
  /** @type {App} */
  let app;
  let named = ""; // id in the title; its picture may still be loading
  /** @type {Opened | null} */
  let opened = null;
  /** @type {{ canvas: HTMLCanvasElement, layers: Layers }[]} */
  let panels = [];
  let view = { zoom: 1, x: 0.5, y: 0.5 }; // centre as shares of the image
  /** @type {{ pointer: number, x: number, y: number, view: typeof view, isClick: boolean } | null} */
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
    // The row of the image in the title; -1 if this split has no image of that name.
    row: () => app.page.records.id.indexOf(named),
    // Show the image that the state names; close if it names none.
    async show() {
      const focused = document.activeElement;
      auxseg.viewer.leave();
      const mine = ticket;
      if (!state.get().image) return close();
      entitle(state.get().image);
      const i = auxseg.viewer.row();
      if (i < 0) {
        byId("panels").replaceChildren();
        return;
      }
      const found = await load(i).catch((error) => {
        if (mine === ticket) byId("panels").replaceChildren();
        throw error;
      });
      if (mine !== ticket) return; // meanwhile the user asked for another image
      enter(found, focused);
    },
    // Nothing is open until the next picture has loaded, because the page still shows another one than the title names.
    // A picture that is still loading will not open either: while the next round loads, no note on it could be stored.
    leave() {
      ticket++;
      opened = null;
      drag = null;
      byId("stage").inert = true;
    },
    step(by) {
      const next = app.rows[app.rows.indexOf(auxseg.viewer.row()) + by];
      if (next !== undefined) state.set({ image: app.page.records.id[next], pixel: "", zoom: "" });
    },
    // Redraw for other panels or other classes.
    repaint() {
      const here = open();
      const wanted = app.kinds.filter((kind) => state.get().panels.includes(kind));
      const figures = wanted.flatMap((kind) => {
        const layers = auxseg.paint(app, here, kind);
        return layers ? [{ layers, ...figure(kind) }] : [];
      });
      panels = figures;
      byId("panels").replaceChildren(...figures.map(({ frame }) => frame));
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
      const { width, height } = open().image;
      [view.x, view.y] = [(x + 0.5) / width, (y + 0.5) / height];
      keepView();
    },
  };

  // The open image, for code that runs only while one is open.
  function open() {
    if (!opened) throw new Error("no image is open");
    return opened;
  }

  /** @param {boolean} isHidden */
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

  /**
   * Show what is known of an image before its picture has loaded, including its verdict.
   * @param {string} id
   */
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

  /**
   * @param {Opened} found
   * @param {Element | null} focused before the picture was loaded
   */
  function enter(found, focused) {
    opened = found;
    byId("stage").inert = false;
    auxseg.viewer.repaint();
    auxseg.pixel.show();
    auxseg.details.show(found);
    const viewer = byId("viewer");
    if (!viewer.contains(document.activeElement)) {
      const keepsFocus = focused instanceof HTMLElement && viewer.contains(focused);
      (keepsFocus ? focused : byId("title")).focus();
    }
    for (const side of [1, -1]) loadNeighbour(side);
  }

  /**
   * @param {number} i
   * @returns {Promise<Opened>}
   */
  async function load(i) {
    const { records } = app.page;
    const { base, round, split } = app;
    const chunk = await auxseg.load(`images/${records.chunk[i]}`);
    const stored = chunk[records.slot[i]];
    const number = base.rounds.indexOf(round);
    const first = split === "train" ? 0 : 1;
    const previous = number > first ? base.rounds[number - 1] : null;
    const needed = [...new Set([base.rounds[first], previous ?? round, round])];
    const image = await auxseg.decodeImage(stored, records.tags[i], needed);
    const photo = new Image();
    photo.src = `data:image/jpeg;base64,${stored.photo}`;
    await photo.decode();
    return { i, id: records.id[i], image, photo, round, previous, stored };
  }

  /** @param {number} side 1 for the next image, -1 for the previous one */
  function loadNeighbour(side) {
    const next = app.rows[app.rows.indexOf(open().i) + side];
    if (next !== undefined) auxseg.load(`images/${app.page.records.chunk[next]}`).catch(() => {});
  }

  /** @param {Kind} kind */
  function figure(kind) {
    const title = auxseg.kindTitle(kind, app.split);
    const canvas = element("canvas", {
      tabindex: 0,
      role: "img",
      "data-kind": kind,
      "aria-label": `${title} of ${open().id}; arrow keys move the pixel cursor, plus and minus zoom`,
    });
    listen(canvas);
    return { canvas, frame: element("figure", {}, canvas, element("figcaption", {}, title)) };
  }

  /** @param {HTMLCanvasElement} canvas */
  function listen(canvas) {
    /**
     * @template {keyof HTMLElementEventMap} Name
     * @param {Name} name
     * @param {(event: HTMLElementEventMap[Name]) => void} act
     */
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
      if (event.button || !event.isPrimary) return; // neither a menu nor a second finger pins a pixel
      drag = { pointer: event.pointerId, x: event.clientX, y: event.clientY, view: { ...view }, isClick: true };
      canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      if (!drag) return auxseg.pixel.hover(...pixelAt(canvas, event));
      if (event.pointerId !== drag.pointer) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (Math.hypot(dx, dy) > CLICK_SLACK) drag.isClick = false;
      const scale = fit(canvas) * view.zoom;
      const { width, height } = open().image;
      view.x = drag.view.x - dx / scale / width;
      view.y = drag.view.y - dy / scale / height;
      keepView();
    });
    on("pointerup", (event) => {
      if (event.pointerId !== drag?.pointer) return;
      if (drag.isClick) auxseg.pixel.pin(...pixelAt(canvas, event));
      drag = null;
    });
    on("pointercancel", (event) => {
      if (event.pointerId === drag?.pointer) drag = null;
    });
    on("pointerleave", () => auxseg.pixel.hover(-1, -1));
    on("dblclick", () => auxseg.viewer.zoom(0));
  }

  // Choose the number of columns that makes the panels largest.
  function arrange() {
    const room = byId("panels");
    const { width, height } = open().image;
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

  /** @param {HTMLCanvasElement} canvas */
  function fit(canvas) {
    const { width, height } = open().image;
    return Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
  }

  /**
   * Position of the pointer as shares of the image.
   * @param {HTMLCanvasElement} canvas
   * @param {MouseEvent} event
   * @returns {[x: number, y: number]}
   */
  function toImage(canvas, event) {
    const box = canvas.getBoundingClientRect();
    const scale = fit(canvas) * view.zoom;
    const { width, height } = open().image;
    return [
      view.x + (event.clientX - box.left - box.width / 2) / scale / width,
      view.y + (event.clientY - box.top - box.height / 2) / scale / height,
    ];
  }

  /**
   * The pixel under the pointer; [-1, -1] outside the image.
   * @param {HTMLCanvasElement} canvas
   * @param {MouseEvent} event
   * @returns {[x: number, y: number]}
   */
  function pixelAt(canvas, event) {
    const [x, y] = toImage(canvas, event);
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return [-1, -1];
    const { width, height } = open().image;
    return [Math.floor(x * width), Math.floor(y * height)];
  }

  function keepView() {
    const half = 0.5 / view.zoom;
    view.x = Math.max(half, Math.min(1 - half, view.x));
    view.y = Math.max(half, Math.min(1 - half, view.y));
    state.set({ zoom: view.zoom === 1 ? "" : [view.zoom, view.x, view.y].map((value) => value.toFixed(3)).join(",") });
    draw();
  }

  /** @param {string} text */
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
      const context = auxseg.context(canvas);
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
      context.globalAlpha = Math.max(0.75, opacity); // ignored pixels stay visible
      if (layers.hatch) put(context, layers.hatch);
      context.globalAlpha = 1;
      const at = auxseg.pixel.at();
      if (at) auxseg.paintCursor(context, at, scale);
    }
  }

  /** @type {(context: CanvasRenderingContext2D, layer: Layer) => void} */
  const put = (context, layer) => context.drawImage(layer.canvas, 0, 0, layer.width, layer.height);
})(window.auxseg);
