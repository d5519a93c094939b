// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// drawing/drawing.css
var drawing_default = ".pd { display: block; width: 100%; max-width: 44rem; height: auto; font-family: var(--st-font, system-ui, sans-serif); touch-action: none; cursor: crosshair;\n  user-select: none; --accent: var(--st-primary-color, #4b51c4); --ink: var(--st-text-color, #1c1f26); --paper: var(--st-background-color, #fff);\n  --muted: color-mix(in srgb, var(--ink) 68%, var(--paper)); --rule: color-mix(in srgb, var(--ink) 14%, var(--paper)); }\n.pd text { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }\n.pd .hint { font-size: 15px; }\n.pd .grid { stroke: var(--rule); stroke-width: 1; }\n.pd .line { fill: none; stroke: var(--accent); stroke-width: 2.5; stroke-linejoin: round; }\n.pd .ring { fill: var(--paper); stroke: var(--accent); stroke-width: 2.5; }\n.pd .undrawn { stroke: var(--muted); stroke-dasharray: 3 2; stroke-width: 1.5; }\n.pd .ring:focus { outline: none; } .pd .ring:focus-visible { stroke-width: 5; }\n";

// elements.js
var SVG = "http://www.w3.org/2000/svg";
function makeSvg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== void 0) element.textContent = text;
  return element;
}

// drawing/curve.js
var clamp = (value, low, high) => Math.min(high, Math.max(low, value));
function stroked(heights, places, { from, to, reach }) {
  const [left, right] = from.x <= to.x ? [from, to] : [to, from];
  return heights.map((height, i) => {
    const x = places[i];
    if (x < left.x - reach || x > right.x + reach) return height;
    const part = right.x === left.x ? 1 : clamp((x - left.x) / (right.x - left.x), 0, 1);
    return left.y + part * (right.y - left.y);
  });
}
function filled(heights) {
  const drawn2 = heights.flatMap((height, i) => height === null ? [] : [i]);
  if (!drawn2.length) return null;
  return heights.map((height, i) => {
    const nearest = drawn2.reduce((best, at) => Math.abs(at - i) < Math.abs(best - i) ? at : best);
    return height ?? /** @type {number} */
    heights[nearest];
  });
}

// drawing/view.js
var WIDE = 560;
var NARROW = 340;
var NARROW_BELOW = 440;
var HEIGHT = 250;
var EDGE = { left: 54, right: 22, top: 14, bottom: 56 };
var STEPS = 100;
var DrawingView = class {
  /**
   * @param {DrawingData} data
   * @param {number} room pixels; 0 where it is not known yet
   * @param {(heights: number[]) => void} onChange
   */
  constructor(data, room, onChange) {
    this.data = data;
    this.onChange = onChange;
    this.width = room > 0 && room < NARROW_BELOW ? NARROW : WIDE;
    this.heights = data.heights ?? data.levels.map(() => null);
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
    return EDGE.left + i / n * (this.width - EDGE.left - EDGE.right);
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
    const x = (event.clientX - box.left) / box.width * this.width;
    const y = (event.clientY - box.top) / box.height * HEIGHT;
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
      ...data.locked ? { "aria-disabled": "true" } : {}
    });
  }
  show() {
    const middle = (this.data.low + this.data.high) / 2;
    const drawn2 = this.heights.flatMap((height, i) => height === null ? [] : [`${this.x(i)},${this.y(height)}`]);
    this.line.setAttribute("points", drawn2.join(" "));
    this.hint.toggleAttribute("hidden", drawn2.length > 0);
    this.hint.style.display = drawn2.length ? "none" : "";
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
    const step = (high - low) / STEPS * (event.shiftKey ? 10 : 1);
    const present = this.heights[i] ?? (low + high) / 2;
    const places = {
      ...{ ArrowUp: present + step, ArrowRight: present + step, ArrowDown: present - step, ArrowLeft: present - step },
      ...{ PageUp: present + 10 * step, PageDown: present - 10 * step, Home: low, End: high }
    };
    const place = places[event.key];
    if (place === void 0) return;
    event.preventDefault();
    this.heights[i] = clamp(place, low, high);
    this.show();
    this.commit();
  }
};

// drawing.js
var drawn = /* @__PURE__ */ new WeakMap();
function drawing_default2({ data, parentElement, setStateValue }) {
  const before = drawn.get(parentElement);
  const text = JSON.stringify({ ...data, heights: data.locked ? data.heights : null });
  if (before?.text === text) return;
  const style = document.createElement("style");
  style.textContent = drawing_default;
  const box = parentElement instanceof ShadowRoot ? parentElement.host : parentElement;
  const width = box.getBoundingClientRect().width;
  const view = new DrawingView(data, width, (heights) => setStateValue("curve", heights));
  before?.view.element.remove();
  before?.style.remove();
  parentElement.append(style, view.element);
  drawn.set(parentElement, { text, view, style });
}
export {
  drawing_default2 as default
};
