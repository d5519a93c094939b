// The draggable histogram: `mount(root, payload, onChange)`.
//
// payload  {static, strips, dynamic} as made by explorer/component/payload.py. `static` and
//          `strips` may hold their digest alone once they have been seen.
// onChange is called with {events, have}: every move not yet answered, oldest first, and the
//          digests this browser holds. A missing body shows as a digest that is not in `have`.

const library = new Map(); // digest -> body; outlives a mount, so that a page that comes back is fast
const LIBRARY_SIZE = 12;
const FEW_ROWS = 6; // with fewer there is nothing to search

function known(part, body) {
  if (!part) return null;
  if (part[body] !== undefined) {
    library.delete(part.digest);
    library.set(part.digest, part);
    if (library.size > LIBRARY_SIZE) library.delete(library.keys().next().value);
  }
  return library.get(part.digest) ?? null;
}

class Histogram {
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
    this.commits = new Commits((events) => this.tell(events));
    this.rows = [];
    this.mode = "alone";
    this.scale = "linear";
    this.drag = null;
    this.keyed = null;
    this.waiting = null;
    this.host = make("div", "ph");
    this.toolbar = new Toolbar({
      mode: (mode) => this.setMode(mode),
      scale: (scale) => this.setScale(scale),
      step: (kind) => this.commits.push({ kind, final: true }),
      arrange: () => this.arrange(),
    });
    this.menu = new LimitMenu((row, floor, cap) => this.setLimit(row, floor, cap));
    this.note = make("p", "ph-note");
    this.status = make("p", "ph-hidden");
    this.status.setAttribute("role", "status");
    this.place = make("div", "ph-place");
    this.host.append(this.toolbar.element, this.place, this.note, this.menu.element, this.status);
    root.append(this.host);
    this.observe();
    this.listen();
  }

  tell(events) {
    this.onChange({ events, have: [...library.keys()] });
  }

  observe() {
    this.seer = new IntersectionObserver((entries) => this.onSight(entries), { rootMargin: "160px" });
    this.sizer = new ResizeObserver(() => this.measure());
    this.sizer.observe(this.host);
  }

  onSight(entries) {
    for (const entry of entries) {
      const row = this.rows[Number(entry.target.dataset.index)];
      if (!row) continue;
      row.visible = entry.isIntersecting;
      if (row.visible) this.drawRow(row);
    }
  }

  measure() {
    const shown = this.rows.find((row) => row.knob.movable && row.area.clientWidth > 0);
    const width = shown ? shown.area.clientWidth : 0;
    if (!width || width === this.width) return;
    this.width = width;
    this.height = shown.area.clientHeight;
    this.drawVisible();
  }

  drawRow(row) {
    if (!this.width) this.measure();
    row.draw(this.scale, this.width, this.height);
    row.refresh(this.scale);
  }

  drawVisible() {
    for (const row of this.rows) if (row.visible) this.drawRow(row);
  }

  // ---- what the server says ------------------------------------------------------------------

  update(payload) {
    const fixed = known(payload.static, "knobs");
    const strips = known(payload.strips, "levels");
    const lacks = (payload.static && !fixed) || (payload.strips && !strips);
    if (lacks) this.ask(payload);
    if (fixed && fixed.digest !== this.digest) this.build(fixed);
    if (strips?.digest !== this.stripsDigest || this.stripsFor !== this.digest) this.takeStrips(strips);
    if (fixed && payload.dynamic) this.takeDynamic(payload.dynamic);
  }

  /** A body was left out that this browser does not hold (a reload, a lost message). */
  ask(payload) {
    const wanted = `${payload.static?.digest}|${payload.strips?.digest}`;
    if (this.asked === wanted) return;
    this.asked = wanted;
    this.tell(this.commits.queue.map((entry) => entry.event));
  }

  build(fixed) {
    this.digest = fixed.digest;
    this.revision = undefined;
    this.drag = null;
    this.width = 0;
    this.seer.disconnect();
    this.rows = fixed.knobs.map((told, index) => new Row(makeKnob(told), index, fixed.symbol));
    this.list = new List(this.rows);
    this.place.replaceChildren(this.list.element);
    this.toolbar.finder.hidden = this.rows.length < FEW_ROWS;
    for (const row of this.rows) {
      row.element.dataset.index = String(row.index);
      this.seer.observe(row.element);
    }
    this.focusRow(this.rows.find((row) => row.knob.movable));
    this.arrange();
    this.measure();
  }

  takeStrips(strips) {
    this.stripsDigest = strips?.digest;
    this.stripsFor = this.digest;
    for (const row of this.rows) {
      const levels = strips?.levels[row.knob.name];
      row.levels = levels && row.knob.movable ? decoded(levels, Uint8Array) : null;
    }
    const any = this.rows.some((row) => row.levels);
    this.toolbar.offerSensitivity(any);
    this.host.classList.toggle("ph-strips", any);
    this.writeNote(any);
    this.drawVisible();
  }

  writeNote(strips) {
    const parts = ["Grey bars are removed. Drag a line or use the arrow keys; double-click puts it back."];
    if (strips) {
      const cheap = make("i", "ph-swatch");
      cheap.style.background = `linear-gradient(to right, ${[0, 0.33, 0.67, 1].map(costColour).join(", ")})`;
      parts.unshift("Strip: what a layer costs if pruned alone up to there, from little ", cheap, " to much. ");
    }
    this.note.replaceChildren(...parts);
  }

  takeDynamic(dynamic) {
    const busy = !this.commits.idle;
    this.commits.acknowledge(dynamic.ack);
    const answered = busy && this.commits.idle;
    if (dynamic.revision === this.revision && !answered) return;
    if (!this.commits.idle) return;
    if (this.drag) this.takeCounts(dynamic);
    else this.apply(dynamic);
  }

  /** The pointer rests on a line it holds: its position stays, its numbers become exact. */
  takeCounts(dynamic) {
    this.waiting = dynamic;
    if (!dynamic.ack) return;
    this.rows.forEach((row, i) => {
      if (row.knob.movable) Object.assign(row, { n: dynamic.pruned[i], exact: true });
    });
    this.refresh();
  }

  apply(dynamic) {
    this.waiting = null;
    this.revision = dynamic.revision;
    this.mode = dynamic.mode;
    this.rows.forEach((row, i) => this.applyRow(row, i, dynamic));
    this.toolbar.modes.show(this.mode);
    this.toolbar.undo.disabled = !dynamic.can_undo;
    this.toolbar.redo.disabled = !dynamic.can_redo;
    const costs = this.rows.some((row) => row.cost);
    this.host.classList.toggle("ph-costs", costs);
    this.scale = dynamic.scale;
    this.toolbar.scales.show(this.scale);
    this.measure();
    this.drawVisible();
    this.refresh();
    this.status.textContent = this.toolbar.total.textContent;
  }

  applyRow(row, i, dynamic) {
    const { knob } = row;
    const [floor, cap] = dynamic.limits[knob.name] ?? [0, 1];
    row.cost = dynamic.expected[knob.name] ?? "";
    Object.assign(row, { floor, cap, n: dynamic.pruned[i], locked: Boolean(dynamic.locked[i]), exact: true });
    if (knob.movable) row.line = dynamic.lines[i] ?? lineFor(knob, row.n);
    row.refreshState();
  }

  refresh() {
    for (const row of this.rows) if (row.visible) row.refresh(this.scale);
    this.list.refresh();
    this.toolbar.refresh(this.rows);
  }

  // ---- what the user does --------------------------------------------------------------------

  listen() {
    const on = (type, handle) => this.place.addEventListener(type, handle);
    on("pointerdown", (event) => this.onDown(event));
    on("pointermove", (event) => this.onMove(event));
    on("pointerup", (event) => this.onUp(event));
    on("pointercancel", (event) => this.onCancel(event));
    on("lostpointercapture", (event) => this.onUp(event));
    on("dblclick", (event) => this.onDouble(event));
    on("keydown", (event) => this.onKey(event));
    on("keyup", () => this.onKeyUp());
    on("click", (event) => this.onClick(event));
    on("focusin", (event) => this.focusRow(this.rowOf(event)));
    this.host.addEventListener("keydown", (event) => this.onShortcut(event));
  }

  rowOf(event) {
    const element = event.target.closest?.(".ph-row");
    return element ? this.rows[Number(element.dataset.index)] : undefined;
  }

  focusRow(row) {
    if (!row || row === this.current || !row.knob.movable) return;
    this.current?.rove(false);
    this.current = row;
    row.rove(true);
  }

  onDown(event) {
    const row = this.rowOf(event);
    if (!row?.moves || event.button !== 0 || this.drag || !event.target.closest(".ph-area")) return;
    const box = row.area.getBoundingClientRect();
    const at = box.left + positionOf(row.knob, row.line, this.scale) * box.width;
    const held = event.target === row.thumb || Math.abs(event.clientX - at) < 9;
    this.drag = { row, box, id: event.pointerId, from: event.clientX, moved: false, changed: false };
    this.drag.offset = held ? at - event.clientX : 0;
    // A finger on the bars may be about to scroll the page: wait until it moves sideways.
    this.drag.undecided = event.pointerType === "touch" && event.target !== row.thumb;
    try {
      row.area.setPointerCapture(event.pointerId);
    } catch {
      // The pointer has gone already; the drag ends with its next event.
    }
    row.thumb.focus({ preventScroll: true });
    this.host.classList.add("ph-dragging");
    if (!held && !this.drag.undecided) this.follow(event, false);
  }

  onMove(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.abs(event.clientX - drag.from);
    if (drag.undecided && far < 6) return;
    if (!drag.moved && far < 1) return;
    drag.undecided = false;
    drag.moved = true;
    this.follow(event, false);
  }

  onUp(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    if (drag.undecided) this.follow(event, false); // a tap
    this.endDrag();
    if (drag.changed) this.commit(drag.row, drag.value, true);
    else if (this.waiting && this.commits.idle) this.apply(this.waiting);
  }

  onCancel(event) {
    if (!this.drag || event.pointerId !== this.drag.id) return;
    this.drag.undecided = false;
    this.onUp(event);
  }

  endDrag() {
    this.drag = null;
    this.host.classList.remove("ph-dragging");
  }

  /** The line goes where the pointer is; numbers follow at once, the server a little later. */
  follow(event, final) {
    const { drag } = this;
    const position = (event.clientX + drag.offset - drag.box.left) / drag.box.width;
    const value = Number(valueAt(drag.row.knob, position, this.scale).toPrecision(9));
    if (value === drag.value) return;
    drag.value = value;
    drag.changed = true;
    this.moveLines(drag.row, value);
    this.commit(drag.row, value, final);
  }

  moveLines(row, value) {
    row.moveTo(value);
    const { share } = row;
    for (const other of this.followers(row)) {
      if (this.mode === "together") other.moveTo(value);
      else other.loseShare(share);
    }
    this.refresh();
  }

  followers(row) {
    return this.mode === "alone" ? [] : this.rows.filter((other) => other !== row && other.moves);
  }

  commit(row, value, final) {
    const event = { knob: row.knob.name, mode: this.mode, final };
    if (this.mode === "share") this.commits.push({ kind: "share", value: row.share, ...event });
    else this.commits.push({ kind: "threshold", value, ...event });
  }

  /** By keyboard a share is meant, in whole units: no unit is skipped and none is half gone. */
  setShare(row, n, final) {
    const { knob } = row;
    row.take(Math.min(knob.n, Math.max(0, n)), false);
    if (this.mode === "together") {
      const value = Number(row.line.toPrecision(9));
      this.moveLines(row, value);
      this.commit(row, value, final);
      return;
    }
    for (const other of this.followers(row)) other.loseShare(row.share);
    this.refresh();
    this.commits.push({ kind: "share", knob: knob.name, value: row.share, mode: this.mode, final });
  }

  onDouble(event) {
    const row = this.rowOf(event);
    if (!row?.moves || !event.target.closest(".ph-area")) return;
    for (const each of [row, ...this.followers(row)]) each.take(0, false);
    this.refresh();
    this.commits.push({ kind: "reset", knob: row.knob.name, mode: this.mode, final: true });
  }

  onKey(event) {
    const row = this.rowOf(event);
    if (!row || event.target !== row.thumb || event.ctrlKey || event.metaKey || event.altKey) return;
    const jump = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (jump) this.toNeighbour(row, jump);
    else if (event.key === "l" || event.key === "L") this.setLock(row);
    else if (!this.stepLine(row, event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  stepLine(row, event) {
    const { n } = row.knob;
    const step = (share) => Math.max(1, Math.round(share * n));
    const by = event.shiftKey ? 0.001 : 0.01;
    const targets = {
      ArrowRight: row.n + step(by),
      ArrowLeft: row.n - step(by),
      PageUp: row.n + step(0.1),
      PageDown: row.n - step(0.1),
      Home: 0,
      End: n,
    };
    if (!(event.key in targets)) return false;
    if (!row.moves) return true;
    this.setShare(row, targets[event.key], !event.repeat);
    this.keyed = event.repeat ? row : null;
    return true;
  }

  onKeyUp() {
    if (this.keyed) this.setShare(this.keyed, this.keyed.n, true);
    this.keyed = null;
  }

  toNeighbour(row, jump) {
    const rows = this.list.reachable;
    const next = rows[rows.indexOf(row) + jump];
    next?.thumb.focus();
    next?.element.scrollIntoView({ block: "nearest" });
  }

  onShortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target.tagName === "INPUT") return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    event.stopPropagation();
    const button = key === "y" || event.shiftKey ? this.toolbar.redo : this.toolbar.undo;
    button.click();
  }

  onClick(event) {
    const row = this.rowOf(event);
    if (!row?.knob.movable) return;
    if (event.target.closest(".ph-lock")) this.setLock(row);
    else if (event.target.closest(".ph-more")) this.menu.show(row);
  }

  setLock(row) {
    row.locked = !row.locked;
    row.refreshState();
    row.refresh(this.scale);
    this.commits.push({ kind: "lock", knob: row.knob.name, locked: row.locked, value: row.share, final: true });
  }

  setLimit(row, floor, cap) {
    Object.assign(row, { floor, cap });
    row.take(row.n, true);
    row.refreshState();
    this.refresh();
    this.commits.push({ kind: "limit", knob: row.knob.name, floor, cap, final: true });
  }

  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.toolbar.modes.show(mode);
    this.commits.push({ kind: "mode", mode, final: true });
  }

  setScale(scale) {
    if (scale === this.scale) return;
    this.scale = scale;
    this.toolbar.scales.show(scale);
    this.drawVisible();
    this.commits.push({ kind: "scale", scale, final: true });
  }

  arrange() {
    this.list.query = this.toolbar.search.value;
    this.list.order = this.toolbar.order.value || "model";
    this.list.arrange();
    this.list.refresh();
  }

  destroy() {
    this.seer.disconnect();
    this.sizer.disconnect();
    this.commits.stop();
    this.host.remove();
  }
}

const mounted = new WeakMap(); // root -> Histogram: mounting twice updates

/** Draw into `root` (an element or a shadow root) and keep it up to date. */
export function mount(root, payload, onChange) {
  const histogram = mounted.get(root) ?? new Histogram(root, onChange);
  mounted.set(root, histogram);
  histogram.onChange = onChange;
  histogram.update(payload);
  return {
    update: (next) => histogram.update(next),
    destroy() {
      if (mounted.get(root) === histogram) mounted.delete(root);
      histogram.destroy();
    },
  };
}
