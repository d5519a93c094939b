// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// schedule/schedule.css
var schedule_default = ".ps { display: block; width: 100%; height: auto; font-family: var(--st-font, system-ui, sans-serif); touch-action: none;\n  --accent: var(--st-primary-color, #4b51c4); --ink: var(--st-text-color, #1c1f26); --paper: var(--st-background-color, #fff);\n  --muted: color-mix(in srgb, var(--ink) 68%, var(--paper)); --line: color-mix(in srgb, var(--ink) 14%, var(--paper)); }\n.ps text { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }\n.ps .grid { stroke: var(--line); stroke-width: 1; }\n.ps .steps { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }\n.ps .area { fill: color-mix(in srgb, var(--accent) 12%, transparent); }\n.ps .ring { fill: var(--paper); stroke: var(--accent); stroke-width: 2.5; cursor: grab; }\n.ps .ring:focus { outline: none; } .ps .ring:focus-visible { stroke-width: 5; }\n.ps .held { cursor: grabbing; } .ps .now { fill: var(--ink); font-weight: 650; }\n";

// elements.js
var SVG = "http://www.w3.org/2000/svg";
function makeSvg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== void 0) element.textContent = text;
  return element;
}

// schedule/frame.js
var WIDE = 560;
var NARROW = 340;
var NARROW_BELOW = 440;
var LEFT = 44;
var RIGHT = 18;
var TOP = 16;
var BOTTOM = 34;
var LOWEST = 0.05;
var HIGHEST = 0.99;
var clamp = (value, low, high) => Math.min(high, Math.max(low, value));
var Frame = class {
  /** @param {number} room pixels; 0 where it is not known yet */
  constructor(room) {
    this.width = room > 0 && room < NARROW_BELOW ? NARROW : WIDE;
    this.height = 200;
    this.left = LEFT;
    this.top = TOP;
  }
  /** @param {number} share of all epochs */
  x(share) {
    return LEFT + share * (this.width - LEFT - RIGHT);
  }
  /** @param {number} level share of the units */
  y(level) {
    return this.height - BOTTOM - level * (this.height - TOP - BOTTOM);
  }
  /** @param {number} x @param {number} y in units of the drawing */
  at(x, y) {
    return {
      share: (x - LEFT) / (this.width - LEFT - RIGHT),
      level: (this.height - BOTTOM - y) / (this.height - TOP - BOTTOM)
    };
  }
};
function corner(data, end, final) {
  const epoch = clamp(Math.round(end * data.epochs) / data.epochs, 1 / data.epochs, 1);
  return { end: data.moves_end ? epoch : void 0, final: clamp(Math.round(100 * final) / 100, LOWEST, HIGHEST) };
}
function stepsPath(frame, data, end, final) {
  const wide = data.end > 0 ? end / data.end : 1;
  const high = data.final > 0 ? final / data.final : 1;
  let path = "";
  data.points.forEach(([epoch, share], i) => {
    const x = frame.x(clamp(epoch / data.epochs * wide, 0, 1));
    const y = frame.y(clamp(share * high, 0, 1));
    path += i ? `H${x}V${y}` : `M${x} ${y}`;
  });
  return `${path}H${frame.x(1)}`;
}

// schedule/view.js
var LEVELS = [0, 0.25, 0.5, 0.75, 1];
var TICKS = [[0, "start"], [0.5, "middle"], [1, "end"]];
var percent = (share) => `${Math.round(100 * share)}%`;
var ScheduleView = class {
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
      this.ring.focus(
        /** @type {FocusOptions} */
        { focusVisible: false }
      );
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
    const x = (event.clientX - box.left) / box.width * this.frame.width;
    const y = (event.clientY - box.top) / box.height * this.frame.height;
    const { share, level } = this.frame.at(x, y);
    this.move(share, level);
  }
  /** @param {KeyboardEvent} event */
  onKey(event) {
    const step = event.shiftKey ? 10 : 1;
    const epoch = 1 / this.data.epochs;
    const steps = { ArrowUp: [0, 0.01], ArrowDown: [0, -0.01], ArrowRight: [epoch, 0], ArrowLeft: [-epoch, 0] };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    this.move(this.end + step * by[0], this.final + step * by[1]);
    this.commit();
  }
};
function makeRing(words) {
  return makeSvg("circle", {
    class: "ring",
    r: 8,
    tabindex: 0,
    role: "slider",
    "aria-label": words,
    "aria-valuemin": 5,
    "aria-valuemax": 99
  });
}

// schedule.js
var drawn = /* @__PURE__ */ new WeakMap();
function schedule_default2({ data, parentElement, setStateValue }) {
  const before = drawn.get(parentElement);
  const text = JSON.stringify(data);
  if (before?.text === text) return;
  const style = document.createElement("style");
  style.textContent = schedule_default;
  const root = (
    /** @type {Document | ShadowRoot} */
    parentElement.getRootNode()
  );
  const hadFocus = before?.view.element.contains(root.activeElement);
  const box = parentElement instanceof ShadowRoot ? parentElement.host : parentElement;
  const view = new ScheduleView(data, box.getBoundingClientRect().width, (line) => setStateValue("line", line));
  before?.view.element.remove();
  before?.style.remove();
  parentElement.append(style, view.element);
  if (hadFocus) view.ring.focus();
  drawn.set(parentElement, { text, view, style });
}
export {
  schedule_default2 as default
};
