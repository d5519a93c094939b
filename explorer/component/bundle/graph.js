// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// graph/graph.css
var graph_default = ".pg { font-family: var(--st-font, system-ui, sans-serif); --accent: var(--explorer-accent, var(--st-primary-color, #4b51c4)); --ink: var(--st-text-color, #1c1f26);\n  --paper: var(--st-background-color, #fff); --now: var(--explorer-now, #e8890c); --muted: color-mix(in srgb, var(--ink) 68%, var(--paper));\n  --rule: color-mix(in srgb, var(--ink) 22%, var(--paper)); color: var(--ink); }\n.pg .tools { display: flex; gap: 6px; align-items: center; margin-bottom: 8px; flex-wrap: wrap; }\n.pg input { font: inherit; font-size: 14px; color: var(--ink); background: var(--paper); border: 1px solid var(--rule); border-radius: 8px;\n  padding: 5px 10px; min-width: 0; flex: 1 1 9rem; }\n.pg button { white-space: nowrap; font: inherit; font-size: 14px; color: var(--ink); background: var(--paper); border: 1px solid var(--rule); border-radius: 8px;\n  padding: 5px 11px; min-width: 34px; cursor: pointer; }\n.pg button:hover { border-color: var(--accent); color: var(--accent); }\n.pg .count { font-size: 13px; color: var(--muted); font-variant-numeric: tabular-nums; }\n.pg .sight { overflow: auto; max-height: 560px; border-radius: 8px; cursor: grab; overscroll-behavior: auto; }\n.pg .sight.moving { cursor: grabbing; user-select: none; }\n.pg .sight:focus { outline: none; }\n.pg svg { display: block; margin: 0 auto; }\n.pg path { fill: none; stroke: var(--muted); stroke-opacity: 0.6; stroke-width: 1.2; }\n.pg .node { cursor: pointer; }\n.pg .node:focus { outline: none; }\n.pg .node rect { fill: var(--paper); stroke: var(--rule); stroke-width: 1; }\n.pg .node text { fill: var(--ink); font-family: var(--st-code-font, ui-monospace, monospace); font-size: 11px; text-anchor: middle; }\n.pg .node .about { fill: var(--muted); font-size: 9.5px; }\n.pg .joint rect { stroke: none; fill: color-mix(in srgb, var(--ink) 9%, var(--paper)); }\n.pg .joint { cursor: inherit; }\n.pg .joint text { fill: var(--muted); }\n.pg .scored rect { fill: var(--accent); stroke: var(--accent); }\n.pg .consumes rect { fill: var(--now); stroke: var(--now); }\n.pg .scored text, .pg .scored .about { fill: var(--explorer-on-accent, #fff); }\n.pg .consumes text, .pg .consumes .about { fill: #1d2129; }\n.pg .node:hover rect, .pg .node:focus-visible rect, .pg .chosen rect { stroke: var(--ink); stroke-width: 2; }\n.pg .node.dim text, .pg .node.dim .about { opacity: 0.45; fill: var(--ink); }\n.pg .node.dim rect { fill: var(--paper); stroke: var(--rule); }\n.pg .match rect { stroke: var(--accent); stroke-width: 2.5; }\n";

// elements.js
var SVG = "http://www.w3.org/2000/svg";
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== void 0) element.textContent = text;
  return element;
}
function makeSvg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== void 0) element.textContent = text;
  return element;
}

// graph/picture.js
var TAKEN = ["fill", "stroke", "stroke-width", "stroke-opacity", "opacity", "font-family", "font-size", "text-anchor"];
function standalone(svg) {
  const copy = (
    /** @type {SVGElement} */
    svg.cloneNode(true)
  );
  const from = [...svg.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of ["class", "tabindex", "role", "aria-pressed", "data-node"]) element.removeAttribute(name);
    if (!["rect", "text", "path"].includes(element.tagName)) return;
    for (const name of TAKEN) element.setAttribute(name, style.getPropertyValue(name));
  });
  return new XMLSerializer().serializeToString(copy);
}
function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e3);
}

// graph/zoom.js
var LEAST = 0.15;
var MOST = 3;
var STEP = 1.25;
var within = (scale) => Math.min(MOST, Math.max(LEAST, scale));
var zoomed = (scale, steps) => within(scale * STEP ** steps);
function fitting(room, size) {
  return within(Math.min(1, room.width / size.width, room.height / size.height));
}
var anchored = (scroll, pointer, ratio) => (scroll + pointer) * ratio - pointer;
function matching(nodes, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return nodes.flatMap(({ label, about }, i) => {
    const whole = `${label} ${about}`.toLowerCase();
    return words.every((word) => whole.includes(word)) ? [i] : [];
  });
}
function curve(points) {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const [x0, y0, x, y] = points.slice(i - 2, i + 2);
    const middle = (y0 + y) / 2;
    path += `C${x0} ${middle} ${x} ${middle} ${x} ${y}`;
  }
  return path;
}

// graph/view.js
var EDGE = 12;
var STILL = 4;
var READABLE = 0.75;
var GraphView = class {
  /**
   * @param {GraphData} data
   * @param {(name: string) => void} onChoose
   */
  constructor(data, onChoose) {
    this.data = data;
    this.onChoose = onChoose;
    this.scale = 1;
    this.at = 0;
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
    const buttons = [
      ["−", "Zoom out", () => this.zoom(zoomed(this.scale, -1))],
      ["+", "Zoom in", () => this.zoom(zoomed(this.scale, 1))],
      ["Fit", "Fit: show the whole graph", () => this.zoom(this.fit())],
      ["SVG", "SVG: save the graph as a picture", () => save(standalone(this.svg), this.data.file)]
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
      if (event.pointerType !== "mouse" || event.button) return;
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
    if (!event.ctrlKey) return;
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
};

// graph.js
var drawn = /* @__PURE__ */ new WeakMap();
function graph_default2({ data, parentElement, setTriggerValue }) {
  const before = drawn.get(parentElement);
  const shape = JSON.stringify([data.words, data.lines, data.nodes.map(({ name, at }) => [name, at])]);
  if (before?.shape === shape) {
    before.view.show(data);
    return;
  }
  const view = new GraphView(data, (name) => setTriggerValue("node", name));
  const style = document.createElement("style");
  style.textContent = graph_default;
  parentElement.replaceChildren(style, view.element);
  view.show(data);
  view.begin();
  drawn.set(parentElement, { shape, view });
}
export {
  graph_default2 as default
};
