// @ts-check
// One group on the screen. A row knows its numbers and draws itself; it decides nothing.

import { barsPath, costAt, countBelow, positionOf, valueAt, zeroBar } from "./axis.js";
import { ICONS, make } from "../elements.js";
import { makeName, makePlot, makeReadout, makeTools } from "./row_elements.js";
import { Standing } from "./standing.js";
import { costColour, percent, pointsLost, shortNumber } from "./text.js";

/** @import { Group, Scale } from "../types.js" */

const STRIP_CELLS = 56;

export class Row extends Standing {
  /** @param {Group} group @param {number} index @param {string} symbol of the axis, as "|w|" */
  constructor(group, index, symbol) {
    super(group);
    this.index = index;
    this.symbol = symbol;
    this.visible = false;
    this.drawn = ""; // what the bars were drawn for
    this.element = make("div", "ph-row");
    this.element.dataset.group = group.name;
    this.name = makeName(group);
    this.plot = makePlot(group);
    this.readout = makeReadout();
    this.tools = makeTools(group);
    this.build();
  }

  /** The handle that hands and keys move. */
  get thumb() {
    return this.plot.thumb;
  }

  get area() {
    return this.plot.area;
  }

  /** Whether zero scores are weights that were zero before anything was pruned here. */
  get hasZeroWeights() {
    return this.group.zeros > 0 && this.group.unit === "weight" && this.symbol === "|w|";
  }

  build() {
    this.element.append(this.name.element);
    if (this.group.movable) {
      this.element.append(this.plot.element, this.readout.element, this.readout.cost, this.tools.element);
      return;
    }
    this.element.classList.add("ph-off");
    this.element.append(make("div", "ph-why", this.group.why_not ?? "There is nothing to remove."));
  }

  /**
   * One stop for the Tab key in the whole list: the row last used.
   * @param {boolean} on
   */
  rove(on) {
    for (const part of [this.thumb, this.tools.more, this.tools.lock]) part.tabIndex = on ? 0 : -1;
  }

  /**
   * Bars and strip: only when the size, the axis or the costs have changed.
   * @param {Scale} scale
   * @param {number} width
   * @param {number} height
   */
  draw(scale, width, height) {
    if (!this.group.movable || !width) return;
    const drawing = `${scale}|${width}|${this.levels ? this.levels.join() : ""}`;
    if (this.drawn === drawing) return;
    this.drawn = drawing;
    const path = barsPath(this.group, scale, width, height);
    for (const bars of this.plot.bars) bars.setAttribute("d", path);
    this.drawZeros(width, height);
    this.drawStrip(scale);
  }

  /** @param {number} width @param {number} height */
  drawZeros(width, height) {
    if (!this.hasZeroWeights) return;
    const { zeros } = this.plot;
    const bar = zeroBar(this.group, width, height);
    zeros.style.width = `${bar.width}px`;
    zeros.style.height = `${bar.height}px`;
  }

  /** @param {Scale} scale */
  drawStrip(scale) {
    const { strip } = this.plot;
    strip.classList.toggle("ph-on", Boolean(this.levels));
    if (!this.levels) return;
    const stops = [];
    for (let i = 0; i <= STRIP_CELLS; i += 1) {
      const share = countBelow(this.group, valueAt(this.group, i / STRIP_CELLS, scale)) / this.group.n;
      const cost = costAt(this.levels, share);
      stops.push(`${cost === null ? "transparent" : costColour(cost)} ${((100 * i) / STRIP_CELLS).toFixed(1)}%`);
    }
    strip.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }

  /**
   * Line, share and what a screen reader says. Cheap: runs for every move of the pointer.
   * @param {Scale} scale
   */
  refresh(scale) {
    if (!this.group.movable) return;
    const { group } = this;
    let at = positionOf(group, this.line, scale);
    if (this.n <= 0) at = 0;
    else if (this.n >= group.n) at = 1;
    this.area.style.setProperty("--at", `${(100 * at).toFixed(2)}%`);
    const certain = this.exact || group.exact || this.n <= 0 || this.n >= group.n;
    const about = certain ? "" : "≈ ";
    this.readout.share.textContent = about + percent(this.share);
    this.readout.line.textContent = this.lineWords();
    this.readout.cost.textContent = this.exact ? this.cost : this.expectedCost();
    this.speak();
  }

  /** What a screen reader says of the line, also of one out of sight. */
  speak() {
    this.thumb.setAttribute("aria-valuenow", (100 * this.share).toFixed(1));
    this.thumb.setAttribute("aria-valuetext", this.spoken());
  }

  /** While a hand moves the line: what the scan's strip says of this share, until the server answers. */
  expectedCost() {
    const cost = this.levels && this.n > 0 ? costAt(this.levels, this.share) : null;
    return cost === null ? "" : `≈ ${pointsLost(cost * this.whole)}`;
  }

  lineWords() {
    // A unit of n:m keeps some of its weights: it takes on the pattern, it does not go.
    const patterned = this.group.unit === "group";
    if (this.n <= 0) return patterned ? "none patterned" : "all kept";
    if (this.n >= this.group.n) return patterned ? "all patterned" : "all removed";
    return `${this.symbol} < ${shortNumber(this.line)}`;
  }

  spoken() {
    const share = `${(100 * this.share).toFixed(1)} percent of ${this.group.unit}s pruned`;
    const locked = this.locked ? `, locked: ${this.lockReason}` : "";
    return `threshold ${shortNumber(this.line)}, ${share}${locked}`;
  }

  get lockReason() {
    return this.group.locked_by ?? "by you";
  }

  /** What changes with a lock, a limit or a cost, and not with a move. */
  refreshState() {
    if (!this.group.movable) return;
    this.element.classList.toggle("ph-held", this.locked);
    this.thumb.setAttribute("aria-disabled", String(this.locked));
    this.refreshLock();
    this.plot.element.title = this.locked ? `Locked: ${this.lockReason}` : "";
    const limited = this.floor > 0 || this.cap < 1;
    this.tools.more.classList.toggle("ph-set", limited);
    const bounds = ` (at least ${percent(this.floor, 0)}, at most ${percent(this.cap, 0)})`;
    this.tools.more.title = `Limits of ${this.group.name}${limited ? bounds : ""}`;
    this.readout.cost.title = "Estimated between the levels of the scan: this layer alone";
  }

  refreshLock() {
    const { lock } = this.tools;
    const { name } = this.group;
    const words = this.locked ? `Locked: ${this.lockReason}. Press to unlock.` : `Lock ${name} where it is`;
    lock.title = words;
    lock.setAttribute("aria-label", this.locked ? `${name}. ${words}` : words);
    lock.setAttribute("aria-pressed", String(this.locked));
    lock.querySelector("path")?.setAttribute("d", ICONS[this.locked ? "locked" : "open"]);
  }
}
