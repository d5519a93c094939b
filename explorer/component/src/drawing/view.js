// @ts-check
// An empty chart to draw a curve on with a finger, a mouse or the keyboard: one handle above each level, and a
// stroke over the chart sets those that it passes. Arrow keys move a handle, with Shift ten steps.

import { makeSvg } from "../elements.js";
import { clamp, filled, stroked } from "./curve.js";

/** @import { DrawingData } from "../types.js" */

const WIDE = 560;
const NARROW = 340;
const NARROW_BELOW = 440; // pixels of room: letters shrink with the drawing
const HEIGHT = 250;
const EDGE = { left: 54, right: 22, top: 14, bottom: 56 };
const STEPS = 100;

export class DrawingView {
  /**
   * @param {DrawingData} data
   * @param {number} room pixels; 0 where it is not known yet
   * @param {(heights: number[]) => void} onChange
   */
  constructor(data, room, onChange) {
    this.data = data;
    this.onChange = onChange;
    this.width = room > 0 && room < NARROW_BELOW ? NARROW : WIDE;
    /** @type {(number | null)[]} */
    this.heights = data.heights ?? data.levels.map(() => null);
    /** @type {{ x: number, y: number } | null} */
    this.last = null;
    this.element = makeSvg("svg", { class: "pd", viewBox: `0 0 ${this.width} ${HEIGHT}`, role: "group" });
    this.element.setAttribute("aria-label", data.words);
    this.line = makeSvg("polyline", { class: "line" });
    this.hint = makeSvg("text", { class: "hint", "text-anchor": "middle" }, "draw here");
    this.handles = data.levels.map((_, i) => this.makeHandle(i));
    this.drawGrid();
    this.element.append(this.hint, this.line, ...this.handles);
    if (!data.locked) this.listen();
    this.show();
  }

  /** @param {number} i */
  x(i) {
    const n = this.data.levels.length - 1;
    return EDGE.left + (i / n) * (this.width - EDGE.left - EDGE.right);
  }

  /** @param {number} height */
  y(height) {
    const share = (height - this.data.low) / (this.data.high - this.data.low);
    return HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);
  }

  /** @param {PointerEvent} event */
  at(event) {
    const box = this.element.getBoundingClientRect();
    const { low, high } = this.data;
    const x = ((event.clientX - box.left) / box.width) * this.width;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    const share = (HEIGHT - EDGE.bottom - y) / (HEIGHT - EDGE.top - EDGE.bottom);
    return { x, y: clamp(low + share * (high - low), low, high) };
  }

  drawGrid() {
    const { data } = this;
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const height = data.low + share * (data.high - data.low);
      const y = this.y(height);
      this.element.append(makeSvg("line", { class: "grid", x1: this.x(0), x2: this.x(data.levels.length - 1), y1: y, y2: y }));
      const words = `${Math.round(height * 100) / 100}${data.unit}`;
      this.element.append(makeSvg("text", { x: EDGE.left - 10, y: y + 4, "text-anchor": "end" }, words));
    }
    data.levels.forEach((label, i) => {
      this.element.append(makeSvg("line", { class: "grid", x1: this.x(i), x2: this.x(i), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }));
      this.element.append(makeSvg("text", { x: this.x(i), y: HEIGHT - 34, "text-anchor": "middle" }, label));
    });
    const middle = (EDGE.left + this.width - EDGE.right) / 2;
    this.element.append(makeSvg("text", { x: middle, y: HEIGHT - 12, "text-anchor": "middle" }, data.across));
    this.hint.setAttribute("x", String(middle));
    this.hint.setAttribute("y", String(HEIGHT / 2 - 14));
  }

  /** @param {number} i */
  makeHandle(i) {
    const { data } = this;
    return makeSvg("circle", {
      class: "ring",
      r: 7,
      cx: this.x(i),
      tabindex: data.locked ? -1 : 0,
      role: "slider",
      "aria-orientation": "vertical",
      "aria-label": `${data.up || "height"} at ${data.levels[i]}`,
      "aria-valuemin": data.low,
      "aria-valuemax": data.high,
      ...(data.locked ? { "aria-disabled": "true" } : {}),
    });
  }

  show() {
    const middle = (this.data.low + this.data.high) / 2;
    const drawn = this.heights.flatMap((height, i) => (height === null ? [] : [`${this.x(i)},${this.y(height)}`]));
    this.line.setAttribute("points", drawn.join(" "));
    this.hint.toggleAttribute("hidden", drawn.length > 0);
    this.hint.style.display = drawn.length ? "none" : "";
    this.handles.forEach((handle, i) => {
      const height = this.heights[i];
      handle.setAttribute("cy", String(this.y(height ?? middle)));
      handle.classList.toggle("undrawn", height === null);
      handle.setAttribute("aria-valuenow", String(Math.round((height ?? middle) * 100) / 100));
      const words = height === null ? "not drawn yet" : `${Math.round(height * 10) / 10}${this.data.unit}`;
      handle.setAttribute("aria-valuetext", words);
    });
  }

  commit() {
    const whole = filled(this.heights);
    if (!whole) return;
    this.heights = whole;
    this.show();
    this.onChange(whole.map((height) => Math.round(height * 100) / 100));
  }

  listen() {
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.stroke(this.at(event));
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.last) this.stroke(this.at(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(end, () => {
        if (!this.last) return;
        this.last = null;
        this.commit();
      });
    }
    this.handles.forEach((handle, i) => handle.addEventListener("keydown", (event) => this.onKey(event, i)));
  }

  /** @param {{ x: number, y: number }} to */
  stroke(to) {
    const places = this.data.levels.map((_, i) => this.x(i));
    const reach = (places[1] - places[0]) / 2;
    this.heights = stroked(this.heights, places, { from: this.last ?? to, to, reach: this.last ? 2 : reach });
    this.last = to;
    this.show();
  }

  /** @param {KeyboardEvent} event @param {number} i */
  onKey(event, i) {
    const { low, high } = this.data;
    const step = ((high - low) / STEPS) * (event.shiftKey ? 10 : 1);
    const present = this.heights[i] ?? (low + high) / 2;
    /** @type {Record<string, number>} */
    const places = {
      ...{ ArrowUp: present + step, ArrowRight: present + step, ArrowDown: present - step, ArrowLeft: present - step },
      ...{ PageUp: present + 10 * step, PageDown: present - 10 * step, Home: low, End: high },
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this.heights[i] = clamp(place, low, high);
    this.show();
    this.commit();
  }
}
