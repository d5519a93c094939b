// @ts-check
// The draggable histogram: `mount(root, payload, onChange)`. What travels is in ../PROTOCOL.md.

import { decoded, lineFor, makeGroup } from "./axis.js";
import { Commits } from "./commits.js";
import { make } from "../elements.js";
import { elementOf } from "./events.js";
import { Keyboard } from "./keyboard.js";
import { held, wholeStatic, wholeStrips } from "./library.js";
import { Hint } from "./hint.js";
import { LimitMenu } from "./limit_menu.js";
import { ListView } from "./list_view.js";
import { Moves } from "./moves.js";
import { noteParts } from "./note.js";
import { Pointer } from "./pointer.js";
import { Row } from "./row.js";
import { Sight } from "./sight.js";
import { Toolbar } from "./toolbar.js";

/** @import { Board, DragEvent, DynamicPart, Mode, Mount, OnChange, Part, Payload, Scale, StaticPart, StripsPart } from "../types.js" */

/** @type {Part[]} what a page may leave out */
const PARTS = ["mode", "scale", "steps", "search", "tools"];
const FEW_ROWS = 6; // with fewer there is nothing to search

/** @implements {Board} */
class Histogram {
  /** @param {HTMLElement | ShadowRoot} root @param {OnChange} onChange */
  constructor(root, onChange) {
    this.onChange = onChange;
    this.commits = new Commits((events) => this.send(events));
    /** @type {Row[]} */
    this.rows = [];
    this.list = new ListView([]);
    /** @type {Mode} */
    this.mode = "alone";
    /** @type {Scale} */
    this.scale = "linear";
    /** @type {DynamicPart | null} an answer that came while a line was held */
    this.waiting = null;
    /** @type {string | undefined} of the histograms that are drawn */
    this.digest = undefined;
    /** @type {string | undefined} of both parts that the strips were drawn for */
    this.strips = undefined;
    /** @type {number | undefined} */
    this.revision = undefined;
    /** @type {string | undefined} the digests that were last asked for */
    this.asked = undefined;
    this.host = make("div", "ph");
    this.toolbar = new Toolbar({
      mode: (mode) => this.setMode(mode),
      scale: (scale) => this.setScale(scale),
      step: (kind) => this.commits.push({ kind, final: true }),
      arrange: () => this.arrange(),
    });
    this.hint = new Hint();
    this.menu = new LimitMenu((row, floor, cap) => this.setLimit(row, floor, cap));
    this.note = make("p", "ph-note");
    this.status = make("p", "ph-hidden");
    this.status.setAttribute("role", "status");
    this.place = make("div", "ph-place");
    this.host.append(this.toolbar.element, this.place, this.note, this.menu.element, this.status);
    root.append(this.host);
    this.sight = new Sight(this.host, () => this);
    const moves = new Moves(this);
    this.pointer = new Pointer(this, moves);
    this.keyboard = new Keyboard(this, moves);
    this.pointer.listen();
    this.keyboard.listen();
  }

  /** @param {DragEvent[]} events */
  send(events) {
    this.onChange({ events, have: held() });
  }

  /** @param {Event} event */
  rowOf(event) {
    /** @type {HTMLElement | null | undefined} */
    const element = elementOf(event)?.closest(".ph-row");
    return element ? this.rows[Number(element.dataset.index)] : undefined;
  }

  /** @param {Payload} payload */
  update(payload) {
    const fixed = wholeStatic(payload.static);
    const strips = wholeStrips(payload.strips);
    if ((payload.static && !fixed) || (payload.strips && !strips)) this.ask(payload);
    if (!fixed) return;
    if (fixed.digest !== this.digest) this.build(fixed);
    if (`${this.digest}|${strips?.digest}` !== this.strips) this.takeStrips(strips);
    if (payload.dynamic) this.takeDynamic(payload.dynamic);
  }

  /**
   * A body was left out that this browser does not hold (a reload, a lost message).
   * @param {Payload} payload
   */
  ask(payload) {
    const lacking = `${payload.static?.digest}|${payload.strips?.digest}`;
    if (this.asked === lacking) return;
    this.asked = lacking;
    this.send(this.commits.unanswered);
  }

  /** @param {StaticPart} fixed */
  build(fixed) {
    this.digest = fixed.digest;
    this.revision = undefined;
    this.pointer.drag = null;
    this.rows = fixed.groups.map((packed, index) => new Row(makeGroup(packed), index, fixed.symbol));
    this.list = new ListView(this.rows);
    this.host.style.setProperty("--read", `${Math.min(120, 60 + 8 * fixed.symbol.length)}px`);
    this.place.replaceChildren(this.list.element);
    // A page of a longer list is searched and sorted where the whole list is.
    this.toolbar.finder.hidden = this.rows.length < FEW_ROWS || Boolean(fixed.scope);
    this.toolbar.scope = fixed.scope ?? "";
    for (const part of PARTS) this.host.classList.toggle(`ph-no-${part}`, fixed.hide?.includes(part) ?? false);
    this.sight.watch(this.rows);
    this.keyboard.focus(this.rows.find((row) => row.group.movable));
    this.arrange();
    this.sight.measure();
  }

  /** @param {StripsPart | null} strips */
  takeStrips(strips) {
    this.strips = `${this.digest}|${strips?.digest}`;
    for (const row of this.rows) {
      const levels = strips?.levels[row.group.name];
      row.levels = levels && row.group.movable ? decoded(levels, Uint8Array) : null;
      row.whole = strips?.whole ?? 0;
    }
    const any = this.rows.some((row) => row.levels);
    this.toolbar.offerSensitivity(any);
    this.host.classList.toggle("ph-strips", any);
    this.note.replaceChildren(...noteParts(any, this.rows.some((row) => row.hasZeroWeights)));
    this.sight.drawVisible();
  }

  /** @param {DynamicPart} dynamic */
  takeDynamic(dynamic) {
    const busy = !this.commits.idle;
    this.commits.acknowledge(dynamic.ack);
    const answered = busy && this.commits.idle;
    if (dynamic.revision === this.revision && !answered) return;
    if (!this.commits.idle) return;
    if (this.pointer.drag) this.takeCounts(dynamic);
    else this.apply(dynamic);
  }

  /**
   * The pointer rests on a line it holds: its position stays, its numbers become exact.
   * @param {DynamicPart} dynamic
   */
  takeCounts(dynamic) {
    this.waiting = dynamic;
    if (!dynamic.ack) return;
    this.rows.forEach((row, i) => {
      if (row.group.movable) Object.assign(row, { n: dynamic.pruned[i], exact: true });
    });
    this.refresh();
  }

  /** The line was let go where it was: what came meanwhile counts. */
  takeWaiting() {
    if (this.waiting && this.commits.idle) this.apply(this.waiting);
  }

  /** @param {DynamicPart} dynamic */
  apply(dynamic) {
    this.waiting = null;
    this.revision = dynamic.revision;
    this.mode = dynamic.mode;
    this.rows.forEach((row, i) => applyTo(row, i, dynamic));
    this.toolbar.modes.show(this.mode);
    this.toolbar.undo.disabled = !dynamic.can_undo;
    this.toolbar.redo.disabled = !dynamic.can_redo;
    this.scale = dynamic.scale;
    this.toolbar.scales.show(this.scale);
    this.sight.measure();
    this.sight.drawVisible();
    this.refresh();
    this.status.textContent = this.toolbar.total.textContent;
  }

  refresh() {
    for (const row of this.rows) if (row.visible) row.refresh(this.scale);
    this.list.refresh();
    this.toolbar.refresh(this.rows);
  }

  /** @param {Row} row */
  setLock(row) {
    row.locked = !row.locked;
    row.refreshState();
    row.refresh(this.scale);
    this.commits.push({ kind: "lock", group: row.group.name, locked: row.locked, value: row.share, final: true });
  }

  /** @param {Row} row @param {number} floor @param {number} cap */
  setLimit(row, floor, cap) {
    Object.assign(row, { floor, cap });
    row.take(row.n, true);
    row.refreshState();
    this.refresh();
    this.commits.push({ kind: "limit", group: row.group.name, floor, cap, final: true });
  }

  /** @param {Mode} mode */
  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.toolbar.modes.show(mode);
    this.commits.push({ kind: "mode", mode, final: true });
  }

  /** @param {Scale} scale */
  setScale(scale) {
    if (scale === this.scale) return;
    this.scale = scale;
    this.toolbar.scales.show(scale);
    this.sight.drawVisible();
    this.commits.push({ kind: "scale", scale, final: true });
  }

  arrange() {
    this.list.arrange(this.toolbar.query, this.toolbar.order);
    this.list.refresh();
  }

  destroy() {
    this.sight.stop();
    this.commits.stop();
    this.host.remove();
  }
}

/** @param {Row} row @param {number} i @param {DynamicPart} dynamic */
function applyTo(row, i, dynamic) {
  const { group } = row;
  const [floor, cap] = dynamic.limits[group.name] ?? [0, 1];
  row.cost = dynamic.expected[group.name] ?? "";
  Object.assign(row, { floor, cap, n: dynamic.pruned[i], locked: Boolean(dynamic.locked[i]), exact: true });
  // Between two units any line says the same: it stays where the hand has put it.
  if (group.movable && !row.standsFor(row.n)) {
    row.line = dynamic.lines[i] ?? lineFor(group, row.n);
    row.placed = false;
  }
  row.refreshState();
  if (group.movable) row.speak();
}

/** @type {WeakMap<Node, Histogram>} root -> histogram: mounting twice updates */
const mounted = new WeakMap();

/**
 * Draw into `root` and keep it up to date. `onChange` is called with every move not yet answered
 * and with the digests that this browser holds.
 * @type {Mount}
 */
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
