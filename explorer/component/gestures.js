// What hands do: pointer and keyboard become moves of lines. The histogram that inherits this has
// the rows, the list, the commits, the mode and the scale.

class Gestures {
  drag = null; // what the pointer holds
  keyed = null; // the row that a held-down key is moving
  current = null; // the row that the Tab key finds

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
}
