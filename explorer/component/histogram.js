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

class Histogram extends Gestures {
  constructor(root, onChange) {
    super();
    this.root = root;
    this.onChange = onChange;
    this.commits = new Commits((events) => this.tell(events));
    this.rows = [];
    this.mode = "alone";
    this.scale = "linear";
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
    this.host.style.setProperty("--read", `${Math.min(120, 60 + 8 * fixed.symbol.length)}px`);
    this.place.replaceChildren(this.list.element);
    // A page of a longer list is searched and sorted where the whole list is.
    this.toolbar.finder.hidden = this.rows.length < FEW_ROWS || Boolean(fixed.scope);
    this.toolbar.scope = fixed.scope ?? "";
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
      row.whole = strips?.whole ?? 0;
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
      parts.unshift(
        "Strip: what a layer costs if pruned alone up to there (measured scan), from little ",
        cheap,
        " to much; ≈: its cost at the line, estimated. ",
      );
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
    // Between two units any line says the same: it stays where the hand has put it.
    if (knob.movable && !row.standsFor(row.n)) row.line = dynamic.lines[i] ?? lineFor(knob, row.n);
    row.placed = false;
    row.refreshState();
  }

  refresh() {
    for (const row of this.rows) if (row.visible) row.refresh(this.scale);
    this.list.refresh();
    this.toolbar.refresh(this.rows);
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
