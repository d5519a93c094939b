// @ts-check
// The planned sparsity over the epochs, with one handle at its corner: drag it up and down for how
// much goes in the end, left and right for when pruning ends. Arrow keys do the same.
// While the hand moves, the drawn steps are stretched; on release the page computes them anew.

import { makeSvg } from "../elements.js";
import { clamp, corner, Frame, stepsPath } from "./frame.js";

/** @import { ScheduleData } from "../types.js" */

const LEVELS = [0, 0.25, 0.5, 0.75, 1];
/** @type {[share: number, anchor: string][]} */
const TICKS = [[0, "start"], [0.5, "middle"], [1, "end"]];

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)}%`;

export class ScheduleView {
  /**
   * @param {ScheduleData} data
   * @param {number} room pixels
   * @param {(corner: { end: number, final: number }) => void} onChange
   */
  constructor(data, room, onChange) {
    this.data = data;
    this.onChange = onChange;
    this.end = data.end;
    this.final = data.final;
    this.frame = new Frame(room);
    const { width, height } = this.frame;
    this.element = makeSvg("svg", { class: "ps", viewBox: `0 0 ${width} ${height}` });
    this.area = makeSvg("path", { class: "area" });
    this.steps = makeSvg("path", { class: "steps" });
    this.now = makeSvg("text", { class: "now", "text-anchor": "end" });
    this.ring = makeRing(data.words);
    this.drawGrid();
    this.element.append(this.area, this.steps, this.now, this.ring);
    this.listen();
    this.show();
  }

  drawGrid() {
    const { frame, data } = this;
    for (const level of LEVELS) {
      const y = frame.y(level);
      this.element.append(makeSvg("line", { class: "grid", x1: frame.x(0), x2: frame.x(1), y1: y, y2: y }));
      this.element.append(makeSvg("text", { x: frame.left - 8, y: y + 4, "text-anchor": "end" }, percent(level)));
    }
    for (const [share, anchor] of TICKS) {
      const words = share === 1 ? `${data.epochs} epochs` : String(Math.round(share * data.epochs));
      this.element.append(makeSvg("text", { x: frame.x(share), y: frame.height - 12, "text-anchor": anchor }, words));
    }
  }

  show() {
    const { frame, data, end, final } = this;
    const path = stepsPath(frame, data, end, final);
    this.steps.setAttribute("d", path);
    this.area.setAttribute("d", `${path}V${frame.y(0)}H${frame.x(0)}Z`);
    this.ring.setAttribute("cx", String(frame.x(end)));
    this.ring.setAttribute("cy", String(frame.y(final)));
    this.ring.setAttribute("aria-valuenow", String(Math.round(100 * final)));
    const epoch = Math.round(end * data.epochs);
    this.ring.setAttribute("aria-valuetext", `${percent(final)} pruned after ${epoch} of ${data.epochs} epochs`);
    this.now.setAttribute("x", String(clamp(frame.x(end) - 14, frame.left + 40, frame.width)));
    this.now.setAttribute("y", String(Math.max(frame.top, frame.y(final) - 8)));
    this.now.textContent = percent(final);
  }

  /** @param {number} end @param {number} final */
  move(end, final) {
    const meant = corner(this.data, end, final);
    this.end = meant.end ?? this.end;
    this.final = meant.final;
    this.show();
  }

  commit() {
    this.onChange({ end: this.end, final: this.final });
  }

  listen() {
    this.ring.addEventListener("pointerdown", (event) => {
      this.ring.setPointerCapture(event.pointerId);
      this.ring.classList.add("held");
      event.preventDefault();
      this.ring.focus(/** @type {FocusOptions} */ ({ focusVisible: false }));
    });
    this.ring.addEventListener("pointermove", (event) => this.onMove(event));
    this.ring.addEventListener("pointerup", () => {
      this.ring.classList.remove("held");
      this.commit();
    });
    this.ring.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.ring.hasPointerCapture(event.pointerId)) return;
    const box = this.element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.frame.width;
    const y = ((event.clientY - box.top) / box.height) * this.frame.height;
    const { share, level } = this.frame.at(x, y);
    this.move(share, level);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const step = event.shiftKey ? 10 : 1;
    const epoch = 1 / this.data.epochs;
    /** @type {Record<string, [number, number]>} */
    const steps = { ArrowUp: [0, 0.01], ArrowDown: [0, -0.01], ArrowRight: [epoch, 0], ArrowLeft: [-epoch, 0] };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    this.move(this.end + step * by[0], this.final + step * by[1]);
    this.commit();
  }
}

/** @param {string} words */
function makeRing(words) {
  return makeSvg("circle", {
    class: "ring",
    r: 8,
    tabindex: 0,
    role: "slider",
    "aria-label": words,
    "aria-valuemin": 5,
    "aria-valuemax": 99,
  });
}
