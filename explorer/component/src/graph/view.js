// @ts-check
// The boxes and lines of a network: seen through a window that scrolls, zoomed with its buttons, with Ctrl and the
// wheel, or with + and -; a search dims what it does not find; a click, Enter or Space chooses a box.

import { make, makeSvg } from "../elements.js";
import { save, standalone } from "./picture.js";
import { anchored, curve, fitting, matching, within, zoomed } from "./zoom.js";

/** @import { GraphData, GraphNode } from "../types.js" */

const EDGE = 12;
const STILL = 4; // pixels that a click may move
const READABLE = 0.75;

export class GraphView {
  /**
   * @param {GraphData} data
   * @param {(name: string) => void} onChoose
   */
  constructor(data, onChoose) {
    this.data = data;
    this.onChoose = onChoose;
    this.scale = 1;
    this.at = 0;
    /** @type {{ x: number, y: number, left: number, top: number } | null} */
    this.hold = null;
    this.moved = false;
    const right = data.nodes.map((node) => node.at[0] + node.size[0] / 2);
    const low = data.nodes.map((node) => node.at[1] + node.size[1] / 2);
    this.size = { width: Math.max(0, ...right) + 2 * EDGE, height: Math.max(0, ...low) + 2 * EDGE };
    this.svg = makeSvg("svg", { viewBox: `${-EDGE} ${-EDGE} ${this.size.width} ${this.size.height}`, role: "group" });
    this.svg.setAttribute("aria-label", data.words);
    this.svg.append(...data.lines.map((points) => makeSvg("path", { d: curve(points) })));
    this.nodes = data.nodes.map((node, i) => this.makeNode(node, i));
    this.svg.append(...this.nodes);
    this.sight = make("div", "sight");
    this.sight.append(this.svg);
    this.search = make("input");
    this.count = make("span", "count");
    this.element = make("div", "pg");
    this.element.append(this.makeTools(), this.sight);
    this.listen();
  }

  makeTools() {
    const tools = make("div", "tools");
    this.search.type = "search";
    this.search.placeholder = "Find a layer";
    this.search.setAttribute("aria-label", "Find a layer in the graph");
    this.count.setAttribute("role", "status");
    /** @type {[string, string, () => void][]} */
    const buttons = [
      ["−", "Zoom out", () => this.zoom(zoomed(this.scale, -1))],
      ["+", "Zoom in", () => this.zoom(zoomed(this.scale, 1))],
      ["Fit", "Fit: show the whole graph", () => this.zoom(this.fit())],
      ["SVG", "SVG: save the graph as a picture", () => save(standalone(this.svg), this.data.file)],
    ];
    tools.append(this.search, this.count);
    for (const [text, label, act] of buttons) {
      const button = make("button", "", text);
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", act);
      tools.append(button);
    }
    return tools;
  }

  /** @param {GraphNode} node @param {number} i */
  makeNode(node, i) {
    const [x, y] = node.at;
    const [width, height] = node.size;
    const group = makeSvg("g", { class: node.joint ? "node joint" : "node", transform: `translate(${x} ${y})` });
    group.append(makeSvg("rect", { x: -width / 2, y: -height / 2, width, height, rx: node.joint ? height / 2 : 6 }));
    group.append(makeSvg("text", { y: node.about ? -2 : 4 }, node.label));
    // The blank keeps the two apart for whoever reads the text alone.
    if (node.about) group.append(" ", makeSvg("text", { class: "about", y: 11 }, node.about));
    if (node.joint) {
      group.setAttribute("aria-hidden", "true");
      return group;
    }
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", i === this.first() ? "0" : "-1");
    group.setAttribute("data-node", node.name);
    group.append(makeSvg("title", {}, node.words));
    group.addEventListener("click", () => this.moved || this.onChoose(node.name));
    group.addEventListener("keydown", (event) => this.onKey(event, i));
    return group;
  }

  first() {
    return this.data.nodes.findIndex((node) => !node.joint);
  }

  /** What is lit and chosen. @param {GraphData} data */
  show(data) {
    this.data = data;
    data.nodes.forEach((node, i) => {
      const { classList } = this.nodes[i];
      for (const role of ["scored", "consumes"]) classList.toggle(role, node.role === role);
      classList.toggle("lit", node.role !== "");
      classList.toggle("chosen", node.name === data.chosen);
      if (node.joint) return;
      this.nodes[i].setAttribute("aria-label", node.words);
      this.nodes[i].setAttribute("aria-pressed", String(node.name === data.chosen));
    });
  }

  /** Once it stands on the page: as large as it can be read, from the first lit box on. */
  begin() {
    requestAnimationFrame(() => {
      const room = this.sight.clientWidth;
      this.zoom(within(Math.max(READABLE, Math.min(1, room / this.size.width))));
      const lit = this.data.nodes.findIndex((node) => node.role === "scored");
      if (lit >= 0) this.bring(lit);
    });
  }

  fit() {
    const most = Number.parseFloat(getComputedStyle(this.sight).maxHeight) || this.sight.clientHeight;
    return fitting({ width: this.sight.clientWidth, height: most }, this.size);
  }

  /** @param {number} scale @param {{ x: number, y: number }} [pointer] from the corner of the window */
  zoom(scale, pointer) {
    const { sight } = this;
    const { x, y } = pointer ?? { x: sight.clientWidth / 2, y: sight.clientHeight / 2 };
    const ratio = scale / this.scale;
    const left = anchored(sight.scrollLeft, x, ratio);
    const top = anchored(sight.scrollTop, y, ratio);
    this.scale = scale;
    this.svg.setAttribute("width", String(Math.round(this.size.width * scale)));
    this.svg.setAttribute("height", String(Math.round(this.size.height * scale)));
    sight.scrollTo(left, top);
  }

  /** Scroll a box into the middle. @param {number} i */
  bring(i) {
    const [x, y] = this.data.nodes[i].at;
    const { sight, scale } = this;
    sight.scrollTo((x + EDGE) * scale - sight.clientWidth / 2, (y + EDGE) * scale - sight.clientHeight / 2);
  }

  listen() {
    const { sight } = this;
    sight.addEventListener("pointerdown", (event) => {
      this.moved = false;
      if (event.pointerType !== "mouse" || event.button) return; // a finger scrolls by itself
      this.hold = { x: event.clientX, y: event.clientY, left: sight.scrollLeft, top: sight.scrollTop };
    });
    sight.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      sight.addEventListener(end, () => {
        this.hold = null;
        sight.classList.remove("moving");
      });
    }
    sight.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.search.addEventListener("input", () => this.find(0));
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(this.at + (event.shiftKey ? -1 : 1));
    });
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    if (!this.hold) return;
    const [x, y] = [event.clientX - this.hold.x, event.clientY - this.hold.y];
    this.moved ||= Math.hypot(x, y) > STILL;
    this.sight.classList.toggle("moving", this.moved);
    if (this.moved) this.sight.scrollTo(this.hold.left - x, this.hold.top - y);
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    if (!event.ctrlKey) return; // the page scrolls; a pinch on a touch pad comes with Ctrl
    event.preventDefault();
    const box = this.sight.getBoundingClientRect();
    this.zoom(zoomed(this.scale, -event.deltaY / 100), { x: event.clientX - box.left, y: event.clientY - box.top });
  }

  /** @param {KeyboardEvent} event @param {number} i */
  onKey(event, i) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const steps = { "+": 1, "-": -1 }[event.key];
    if (step) this.focusFrom(i, step);
    else if (steps) this.zoom(zoomed(this.scale, steps));
    else if (event.key === "Enter" || event.key === " ") this.onChoose(this.data.nodes[i].name);
    else return;
    event.preventDefault();
  }

  /** The next box in reading order gets the focus, and is the one that Tab comes back to. @param {number} i @param {number} step */
  focusFrom(i, step) {
    const { nodes } = this.data;
    let next = i + step;
    while (nodes[next]?.joint) next += step;
    if (!nodes[next]) return;
    this.nodes[i].setAttribute("tabindex", "-1");
    this.nodes[next].setAttribute("tabindex", "0");
    this.nodes[next].focus();
    this.bring(next);
  }

  /** Dim what a search does not find, and bring one of those that it finds. @param {number} which */
  find(which) {
    const hits = matching(this.data.nodes, this.search.value);
    const searching = this.search.value.trim() !== "";
    const marked = new Set(hits);
    this.nodes.forEach((node, i) => {
      node.classList.toggle("dim", searching && !marked.has(i));
      node.classList.toggle("match", marked.has(i));
    });
    this.at = hits.length ? (which + hits.length) % hits.length : 0;
    this.count.textContent = !searching ? "" : hits.length ? `${this.at + 1} of ${hits.length}` : "none";
    if (hits.length) this.bring(hits[this.at]);
  }
}
