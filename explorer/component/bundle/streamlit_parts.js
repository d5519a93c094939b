// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// histogram/histogram.css
var histogram_default = '.ph {\n  --accent: var(--st-primary-color, #4b51c4);\n  --ink: var(--st-text-color, #1c1f26);\n  --paper: var(--st-background-color, #fff);\n  --border: var(--st-border-color, color-mix(in srgb, var(--ink) 14%, var(--paper)));\n  --muted: color-mix(in srgb, var(--ink) 68%, var(--paper));\n  --gone: color-mix(in srgb, var(--ink) 18%, var(--paper));\n  --wash: color-mix(in srgb, var(--accent) 12%, var(--paper));\n  --radius: min(var(--st-button-radius, 8px), 10px);\n  --mono: var(--st-code-font, ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace);\n  --plot: 38px;\n  container-type: inline-size;\n  width: 100%;\n  color: var(--ink);\n  font-family: var(--st-font, system-ui, sans-serif);\n  font-size: 13px;\n  line-height: 1.35;\n  -webkit-text-size-adjust: 100%;\n}\n.ph *, .ph *::before, .ph *::after { box-sizing: border-box; }\n.ph p { margin: 0; }\n.ph [hidden] { display: none !important; }\n.ph button, .ph input, .ph select { font: inherit; color: inherit; }\n.ph button { cursor: pointer; }\n.ph :focus { outline: none; }\n.ph :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }\n.ph-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }\n\n/* what a page leaves out */\n.ph-no-mode :is(.ph-caption, .ph-modes), .ph-no-scale .ph-scales, .ph-no-steps .ph-steps, .ph-no-search .ph-finder,\n.ph-no-tools .ph-tools { display: none; }\n\n/* tools */\n.ph-tools-top { display: grid; gap: 8px; padding-bottom: 8px; }\n.ph-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }\n.ph-caption { color: var(--muted); }\n.ph-segments { display: inline-flex; border: 1px solid var(--border); border-radius: var(--radius); overflow: clip; background: var(--paper); }\n.ph-segment { border: 0; background: none; padding: 4px 10px; min-height: 28px; white-space: nowrap; }\n.ph .ph-segment { color: var(--muted); }\n.ph-segment + .ph-segment { border-left: 1px solid var(--border); }\n.ph-segment:hover { background: color-mix(in srgb, var(--ink) 5%, transparent); }\n.ph .ph-segment[aria-checked="true"] { background: var(--wash); color: color-mix(in srgb, var(--accent) 82%, var(--ink)); font-weight: 600; }\n.ph-segment:focus-visible { outline-offset: -2px; border-radius: var(--radius); }\n.ph-steps { margin-left: auto; display: inline-flex; gap: 6px; }\n.ph-button { display: inline-grid; place-items: center; width: 34px; height: 30px; border: 1px solid var(--border); border-radius: var(--radius); background: var(--paper); padding: 0; }\n.ph-button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); }\n.ph button:disabled { opacity: .38; cursor: default; }\n.ph-icon { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }\n.ph-search, .ph-order { height: 30px; border: 1px solid var(--border); border-radius: var(--radius); background: var(--paper); padding: 0 10px; min-width: 0; }\n.ph-search { flex: 1 1 120px; }\n.ph-search::placeholder { color: var(--muted); opacity: 1; }\n.ph-order { flex: 0 1 auto; padding-right: 4px; }\n.ph-order option { background: var(--paper); color: var(--ink); }\n.ph-facts-bar { justify-content: space-between; }\n.ph-total { color: var(--muted); font-variant-numeric: tabular-nums; }\n.ph-total strong { color: var(--ink); font-size: 14px; margin-right: 4px; }\n\n/* blocks */\n.ph-block, .ph-list > .ph-rows { border-top: 1px solid var(--border); }\n.ph-head { display: flex; align-items: center; gap: 4px; width: 100%; border: 0; background: none; padding: 7px 2px 5px 0; text-align: left; }\n.ph-head .ph-icon { color: var(--muted); flex: none; opacity: .7; transition: transform .12s; }\n.ph-head[aria-expanded="false"] .ph-icon { transform: rotate(-90deg); }\n.ph-title { font-weight: 650; overflow-wrap: anywhere; }\n.ph-facts { margin-left: auto; padding-left: 8px; color: var(--muted); text-align: right; font-variant-numeric: tabular-nums; }\n.ph-empty { padding: 18px 0; color: var(--muted); overflow-wrap: anywhere; }\n\n/* rows */\n.ph-row {\n  display: grid;\n  grid-template-columns: minmax(96px, 126px) minmax(0, 1fr) var(--read, 80px) auto 50px;\n  column-gap: 10px;\n  align-items: center;\n  padding: 4px 0 5px;\n  content-visibility: auto;\n  contain-intrinsic-size: auto 61px;\n}\n.ph-name { display: grid; min-width: 0; }\n.ph-label { font-family: var(--mono); font-size: 12.5px; line-height: 1.25; overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; background: none; padding: 0; color: inherit; }\n.ph-size, .ph-line, .ph-cost { color: var(--muted); font-size: 12px; }\n.ph-plot { min-width: 0; padding: 3px 8px 0; }\n.ph-area { position: relative; height: var(--plot); cursor: ew-resize; touch-action: pan-y; user-select: none; -webkit-user-select: none; --at: 0%; }\n.ph-area svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; shape-rendering: crispEdges; }\n.ph-gone { fill: var(--gone); clip-path: inset(0 calc(100% - var(--at)) 0 -1px); }\n.ph-kept { fill: var(--accent); clip-path: inset(0 -1px 0 var(--at)); }\n.ph-zeros { position: absolute; left: 0; bottom: 0; pointer-events: none; }\n.ph-already { background: repeating-linear-gradient(45deg, var(--ink) 0 2px, var(--gone) 2px 4px); }\n.ph-rule { position: absolute; top: -4px; bottom: -6px; left: var(--at); width: 2px; margin-left: -1px; background: var(--ink); pointer-events: none; }\n.ph-thumb { position: absolute; top: 50%; left: 50%; width: 14px; height: 14px; margin: -7px; border: 2px solid var(--ink); border-radius: 50%; background: var(--paper); pointer-events: auto; touch-action: none; cursor: grab; transition: transform .12s, box-shadow .12s; }\n.ph-thumb::after { content: ""; position: absolute; inset: -8px; border-radius: 50%; }\n.ph-area:hover .ph-thumb { box-shadow: 0 0 0 4px color-mix(in srgb, var(--accent) 22%, transparent); }\n.ph-dragging .ph-thumb, .ph-dragging .ph-area { cursor: grabbing; }\n.ph .ph-thumb:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }\n.ph-hint { position: absolute; bottom: calc(100% + 2px); left: var(--at); transform: translateX(calc(-1 * var(--at))); z-index: 3; padding: 1px 6px; white-space: nowrap; font-size: 11px; font-variant-numeric: tabular-nums; color: var(--ink); background: var(--paper); border: 1px solid var(--border); border-radius: 4px; pointer-events: none; }\n.ph-strip { display: none; height: 4px; margin-top: 3px; }\n.ph-strip.ph-on { display: block; }\n.ph-strips .ph-strip { display: block; }\n.ph-read { display: grid; justify-items: end; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }\n.ph-share { font-weight: 700; font-size: 14px; }\n.ph-cost { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; width: 66px; }\n.ph-tools { display: flex; justify-content: flex-end; grid-column: 5; }\n.ph-tool { display: grid; place-items: center; width: 25px; height: 28px; border: 0; padding: 0; border-radius: 6px; background: none; }\n.ph .ph-tool { color: var(--muted); }\n.ph-tool:hover { background: color-mix(in srgb, var(--ink) 8%, transparent); }\n.ph-more .ph-icon { stroke-width: 2.4; }\n.ph .ph-more.ph-set { color: var(--accent); }\n.ph-lock[aria-pressed="false"] { opacity: .65; }\n.ph .ph-lock[aria-pressed="true"] { color: var(--ink); }\n.ph-lock[aria-pressed="true"] .ph-icon path { fill: color-mix(in srgb, var(--ink) 18%, transparent); }\n\n.ph-held .ph-area, .ph-held .ph-thumb { cursor: not-allowed; }\n.ph-held .ph-kept { fill: color-mix(in srgb, var(--accent) 55%, var(--paper)); }\n.ph-held .ph-rule { background: var(--muted); }\n.ph-held .ph-thumb { border-color: var(--muted); width: 10px; height: 10px; margin: -5px; border-radius: 2px; }\n.ph-held .ph-area:hover .ph-thumb { box-shadow: none; }\n.ph-off { color: var(--muted); }\n.ph-why { grid-column: 2 / -1; padding-left: 8px; font-size: 12px; overflow-wrap: anywhere; }\n\n.ph-note { border-top: 1px solid var(--border); padding-top: 8px; color: var(--muted); font-size: 12px; }\n.ph-swatch.ph-already { width: 12px; height: 12px; border-radius: 0; }\n.ph-swatch { display: inline-block; width: 44px; height: 5px; vertical-align: middle; border-radius: 3px; }\n\n/* limits */\n.ph-menu { position: fixed; inset: auto; margin: 0; padding: 12px 14px; width: 200px; border: 1px solid var(--border); border-radius: 10px; background: var(--paper); color: var(--ink); box-shadow: 0 8px 28px rgb(0 0 0 / .18); }\n.ph-menu:popover-open { display: grid; gap: 8px; }\n.ph-menu-title { overflow-wrap: anywhere; color: var(--muted); font-size: 12px; }\n.ph-field { display: grid; grid-template-columns: 1fr 68px auto; gap: 6px; align-items: center; }\n.ph-field input { height: 30px; border: 1px solid var(--border); border-radius: 6px; background: var(--paper); padding: 0 6px; text-align: right; min-width: 0; }\n\n@container (max-width: 520px) {\n  .ph-row { grid-template-columns: minmax(0, 1fr) auto auto 62px; padding: 8px 0; contain-intrinsic-size: auto 96px; row-gap: 4px; }\n  .ph-name, .ph-read, .ph-cost, .ph-tools { grid-row: 1; }\n  .ph-name { grid-column: 1; }\n  .ph-tools { grid-column: 4; }\n  .ph-tool { width: 31px; height: 36px; }\n  .ph-plot, .ph-why { grid-row: 2; grid-column: 1 / -1; padding-left: 8px; }\n  .ph-cost { width: auto; }\n  .ph-thumb::after { inset: -15px; }\n  .ph { --plot: 44px; }\n  .ph-caption { order: 1; }\n  .ph-steps { order: 2; }\n  .ph-bar .ph-segments { order: 3; }\n  .ph-bar:first-child .ph-segments { flex: 1 0 100%; }\n  .ph-bar:first-child .ph-segment { flex: 1 1 auto; padding: 4px 6px; }\n}\n@media (pointer: coarse) {\n  .ph-thumb::after { inset: -15px; }\n  .ph-segment { min-height: 36px; }\n  .ph-button { width: 40px; height: 38px; }\n  .ph-search, .ph-order { height: 38px; }\n}\n@media (prefers-reduced-motion: no-preference) {\n  .ph:not(.ph-dragging) .ph-rule { transition: left .12s ease-out; }\n}\n@media (prefers-reduced-motion: reduce) {\n  .ph * { transition: none !important; }\n}\n@media (forced-colors: active) {\n  .ph-kept { fill: Highlight; }\n  .ph-gone { fill: GrayText; }\n  .ph-thumb { border-color: ButtonText; }\n}\n';

// histogram/axis.js
var ZERO_ZONE = 0.05;
var JUST_ABOVE_ZERO = 2e-38;
function decoded(text, Type) {
  const raw = atob(text ?? "");
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Type(bytes.buffer);
}
var NO_SCORES = { high: 0, start: 0, floor: 0, zeros: 0, exact: false, zero_bar: 0 };
function makeGroup(packed) {
  const filled = { ...NO_SCORES, layers: [], ...packed };
  return {
    ...filled,
    edges: decoded(packed.edges, Float32Array),
    counts: decoded(packed.counts, Uint32Array),
    linear: decoded(packed.linear, Uint8Array),
    log: packed.log ? decoded(packed.log, Uint8Array) : null,
    movable: !packed.why_not && packed.edges !== void 0 && packed.n > 0,
    zone: filled.zeros > 0 ? ZERO_ZONE : 0
  };
}
function firstAtLeast(values, least) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = low + high >> 1;
    if (values[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
function countBelow(group, value) {
  const { edges, counts } = group;
  const i = firstAtLeast(edges, value);
  if (i === 0) return 0;
  if (i === edges.length) return group.n;
  if (group.exact) return counts[i];
  const part = (value - edges[i - 1]) / (edges[i] - edges[i - 1]);
  return Math.round(counts[i - 1] + part * (counts[i] - counts[i - 1]));
}
function lineFor(group, n) {
  const { edges, counts } = group;
  if (n <= 0) return group.start;
  if (n >= group.n) return edges[edges.length - 1];
  const i = firstAtLeast(counts, n);
  if (group.exact || i === 0 || counts[i] === n) return edges[i];
  const part = (n - counts[i - 1]) / (counts[i] - counts[i - 1]);
  return edges[i - 1] + part * (edges[i] - edges[i - 1]);
}
function positionOf(group, value, scale) {
  if (value <= group.start) return 0;
  if (value > group.high) return 1;
  let part;
  if (scale === "log" && group.log) part = Math.log(value / group.floor) / Math.log(group.high / group.floor);
  else part = (value - group.start) / (group.high - group.start);
  return group.zone + (1 - group.zone) * Math.min(1, Math.max(0, part));
}
function valueAt(group, position, scale) {
  const top = group.edges[group.edges.length - 1];
  if (position <= 0) return group.start;
  if (position >= 1) return top;
  if (position < group.zone) return position < group.zone / 2 ? group.start : Math.min(JUST_ABOVE_ZERO, top);
  const part = (position - group.zone) / (1 - group.zone);
  if (scale === "log" && group.log) return group.floor * (group.high / group.floor) ** part;
  const value = group.start + part * (group.high - group.start);
  return group.zeros > 0 ? Math.max(value, JUST_ABOVE_ZERO) : value;
}
function zeroBar(group, width, height) {
  if (!group.zone || !group.zero_bar) return { width: 0, height: 0 };
  return { width: Math.max(2, Math.round(group.zone * width) - 3), height: barHeight(group.zero_bar, height) };
}
function barsPath(group, scale, width, height) {
  const heights = scale === "log" && group.log ? group.log : group.linear;
  const left = group.zone * width;
  const step = (width - left) / heights.length;
  const gap = step >= 3 ? 1 : 0;
  let path = group.zone ? bar(0, zeroBar(group, width, height).width, group.zero_bar, height) : "";
  heights.forEach((level, i) => {
    const from = Math.round(left + i * step);
    path += bar(from, Math.max(from + 1, Math.round(left + (i + 1) * step) - gap), level, height);
  });
  return path;
}
function barHeight(level, height) {
  return Math.max(1.5, level / 255 * height);
}
function bar(from, to, level, height) {
  if (!level) return "";
  const top = height - barHeight(level, height);
  return `M${from} ${height}V${top.toFixed(1)}H${to}V${height}Z`;
}
function costAt(levels, share) {
  const place = share * (levels.length - 1);
  const before = levels[Math.floor(place)];
  const after = levels[Math.ceil(place)];
  if (before === 255 || after === 255 || before === void 0 || after === void 0) return null;
  return (before + (place - Math.floor(place)) * (after - before)) / 254;
}

// histogram/commits.js
var COMMIT_GAP = 80;
var PATIENCE = 3e3;
var lastSeq = Date.now();
var Commits = class {
  /**
   * @param {(events: DragEvent[]) => void} send
   * @param {() => number} [now] milliseconds
   */
  constructor(send, now = () => performance.now()) {
    this.send = send;
    this.now = now;
    this.queue = [];
    this.sentAt = -Infinity;
    this.timer = void 0;
  }
  /** @param {Move} move */
  push(move) {
    const tail = this.queue.at(-1);
    const replaces = tail && !tail.sent && !tail.event.final && tail.event.kind === move.kind;
    if (replaces && tail.event.group === move.group) this.queue.pop();
    lastSeq += 1;
    this.queue.push({ sent: false, event: { ...move, seq: lastSeq } });
    this.pump();
  }
  /**
   * The server has dealt with everything up to `seq`.
   * @param {number} seq
   */
  acknowledge(seq) {
    const before = this.queue.length;
    this.queue = this.queue.filter((entry) => entry.event.seq > seq);
    if (this.queue.length !== before) this.pump();
  }
  get idle() {
    return this.queue.length === 0;
  }
  /** Every move not yet answered, oldest first. */
  get unanswered() {
    return this.queue.map((entry) => entry.event);
  }
  pump() {
    clearTimeout(this.timer);
    const unsent = this.queue.filter((entry) => !entry.sent);
    if (!unsent.length) return;
    const since = this.now() - this.sentAt;
    const waiting = this.queue.some((entry) => entry.sent);
    const urgent = unsent.some((entry) => entry.event.final);
    const wait = urgent ? 0 : (waiting ? PATIENCE : COMMIT_GAP) - since;
    if (wait > 0) this.timer = setTimeout(() => this.pump(), wait);
    else this.flush();
  }
  flush() {
    for (const entry of this.queue) entry.sent = true;
    this.sentAt = this.now();
    this.send(this.unanswered);
  }
  stop() {
    clearTimeout(this.timer);
  }
};

// elements.js
var SVG = "http://www.w3.org/2000/svg";
var ICONS = {
  locked: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z",
  open: "M4.5 7V5a3.5 3.5 0 0 1 6.6-1.6M3.5 7h9v6.5h-9z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  undo: "M6 3.5 3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  chevron: "M5.5 6.5 8 9l2.5-2.5"
};
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
function icon(name) {
  const svg = makeSvg("svg", { viewBox: "0 0 16 16", class: "ph-icon", "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: ICONS[name] }));
  return svg;
}
function iconButton(name, label, className) {
  const button = make("button", className);
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(icon(name));
  return button;
}
function segmented(label, choices, onPick) {
  const element = make("div", "ph-segments");
  element.setAttribute("role", "radiogroup");
  element.setAttribute("aria-label", label);
  const buttons = choices.map(([value, text, help]) => {
    const button = segment(value, text, help);
    button.addEventListener("click", () => onPick(value));
    element.append(button);
    return button;
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.findIndex((button) => button === event.target);
    const next = (at + step + buttons.length) % buttons.length;
    buttons[next].focus();
    onPick(choices[next][0]);
  });
  return { element, show: (value) => showPicked(buttons, value) };
}
function segment(value, text, help) {
  const button = make("button", "ph-segment", text);
  button.type = "button";
  button.dataset.value = value;
  button.title = help;
  button.setAttribute("role", "radio");
  return button;
}
function showPicked(buttons, value) {
  for (const button of buttons) {
    const on = button.dataset.value === value;
    button.setAttribute("aria-checked", String(on));
    button.tabIndex = on ? 0 : -1;
  }
}

// histogram/events.js
function elementOf(event) {
  return event.target instanceof Element ? event.target : null;
}

// histogram/keyboard.js
var TO_NEIGHBOUR = { ArrowDown: 1, ArrowUp: -1 };
var Keyboard = class {
  /** @param {Board} board @param {Moves} moves */
  constructor(board, moves) {
    this.board = board;
    this.moves = moves;
    this.keyed = null;
    this.current = null;
  }
  listen() {
    const { host, place } = this.board;
    place.addEventListener("keydown", (event) => this.onKey(event));
    place.addEventListener("keyup", () => this.onKeyUp());
    place.addEventListener("focusin", (event) => this.focus(this.board.rowOf(event)));
    host.addEventListener("keydown", (event) => this.onShortcut(event));
  }
  /** @param {Row | undefined} row */
  focus(row) {
    if (!row || row === this.current || !row.group.movable) return;
    this.current?.rove(false);
    this.current = row;
    row.rove(true);
  }
  /** @param {KeyboardEvent} event */
  onKey(event) {
    const row = this.board.rowOf(event);
    if (!row || event.target !== row.thumb || event.metaKey || event.altKey) return;
    if (!(event.ctrlKey ? this.toNeighbour(row, event) : this.act(row, event))) return;
    event.preventDefault();
    event.stopPropagation();
  }
  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  act(row, event) {
    if (event.key.toLowerCase() !== "l") return this.stepLine(row, event);
    this.board.setLock(row);
    return true;
  }
  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  stepLine(row, event) {
    const n = target(row, event);
    if (n === void 0) return false;
    if (!row.moves) return true;
    this.moves.setCount(row, n, !event.repeat);
    this.keyed = event.repeat ? row : null;
    return true;
  }
  onKeyUp() {
    if (this.keyed) this.moves.setCount(this.keyed, this.keyed.n, true);
    this.keyed = null;
  }
  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  toNeighbour(row, event) {
    const jump = TO_NEIGHBOUR[event.key];
    if (!jump) return false;
    const rows = this.board.list.reachable;
    const next = rows[rows.indexOf(row) + jump];
    next?.thumb.focus();
    next?.element.scrollIntoView({ block: "nearest" });
    return true;
  }
  /** @param {KeyboardEvent} event */
  onShortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || elementOf(event)?.tagName === "INPUT") return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    event.stopPropagation();
    const { redo, undo } = this.board.toolbar;
    (key === "y" || event.shiftKey ? redo : undo).click();
  }
};
function target(row, event) {
  const { n } = row.group;
  const step = (share) => Math.max(1, Math.round(share * n));
  const by = event.shiftKey ? 1e-3 : 0.01;
  const targets = {
    ArrowRight: row.n + step(by),
    ArrowUp: row.n + step(by),
    ArrowLeft: row.n - step(by),
    ArrowDown: row.n - step(by),
    PageUp: row.n + step(0.1),
    PageDown: row.n - step(0.1),
    Home: 0,
    End: n
  };
  return Object.hasOwn(targets, event.key) ? targets[event.key] : void 0;
}

// histogram/library.js
var LIBRARY_SIZE = 12;
var library = /* @__PURE__ */ new Map();
function held() {
  return [...library.keys()];
}
function wholeStatic(part) {
  if (!part) return null;
  if ("groups" in part) store(part);
  return (
    /** @type {StaticPart | null} */
    library.get(part.digest) ?? null
  );
}
function wholeStrips(part) {
  if (!part) return null;
  if ("levels" in part) store(part);
  return (
    /** @type {StripsPart | null} */
    library.get(part.digest) ?? null
  );
}
function store(part) {
  library.delete(part.digest);
  library.set(part.digest, part);
  const [oldest] = library.keys();
  if (library.size > LIBRARY_SIZE) library.delete(oldest);
}

// histogram/text.js
function shortCount(n) {
  if (n < 1e3) return String(n);
  if (n < 999950) return `${(n / 1e3).toFixed(1)}k`;
  return `${(n / 1e6).toFixed(1)}M`;
}
function plural(n, unit) {
  return `${shortCount(n)} ${unit}${n === 1 ? "" : "s"}`;
}
function percent(share, digits = 1) {
  const text = (100 * share).toFixed(digits);
  if (share < 1 && Number(text) === 100) return `>${(100 - 10 ** -digits).toFixed(digits)}%`;
  if (share > 0 && Number(text) === 0) return `<${(10 ** -digits).toFixed(digits)}%`;
  return `${text}%`;
}
function shortNumber(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
function pointsLost(points) {
  const text = points.toFixed(1);
  return text === "0.0" ? "0.0 pt" : `−${text} pt`;
}
function costColour(cost) {
  const stops = [
    [47, 111, 214],
    [168, 182, 204],
    [242, 153, 60],
    [201, 74, 0]
  ];
  const place = Math.min(0.9999, Math.max(0, cost)) * (stops.length - 1);
  const i = Math.floor(place);
  const mixed = stops[i].map((from, c) => Math.round(from + (place - i) * (stops[i + 1][c] - from)));
  return `rgb(${mixed.join(" ")})`;
}

// histogram/hint.js
var BAR = 4;
function hintWords({ group, symbol }, at, aside, scale) {
  const below = (place) => countBelow(group, valueAt(group, place, scale));
  const here = Math.max(0, below(at + aside) - below(at - aside)).toLocaleString("en");
  const about = group.exact ? "" : "≈ ";
  const value = `${symbol} = ${shortNumber(valueAt(group, at, scale))}`;
  return `${value} · ${about}${here} ${group.unit}s here · ${about}${percent(below(at) / group.n)} below`;
}
var Hint = class {
  constructor() {
    this.element = make("div", "ph-hint");
    this.element.setAttribute("aria-hidden", "true");
    this.element.hidden = true;
  }
  /** @param {Row} row @param {number} clientX @param {Scale} scale */
  show(row, clientX, scale) {
    const box = row.area.getBoundingClientRect();
    if (!box.width) return;
    const at = (clientX - box.left) / box.width;
    this.element.textContent = hintWords(row, at, BAR / box.width, scale);
    this.element.style.setProperty("--at", `${(100 * Math.min(1, Math.max(0, at))).toFixed(1)}%`);
    if (this.element.parentElement !== row.area) row.area.append(this.element);
    this.element.hidden = false;
  }
  hide() {
    this.element.hidden = true;
  }
};

// histogram/limit_menu.js
var MARGIN = 8;
var GAP = 4;
var LimitMenu = class {
  /** @param {(row: Row, floor: number, cap: number) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.row = null;
    this.element = make("div", "ph-menu");
    this.element.setAttribute("popover", "auto");
    this.element.setAttribute("role", "dialog");
    this.title = make("p", "ph-menu-title");
    this.low = this.field("At least");
    this.high = this.field("At most");
    this.element.prepend(this.title);
  }
  /** @param {string} text */
  field(text) {
    const label = make("label", "ph-field", text);
    const input = make("input");
    Object.assign(input, { type: "number", min: "0", max: "100", step: "1" });
    input.addEventListener("change", () => this.change(input));
    label.append(input, make("span", "", "%"));
    this.element.append(label);
    return input;
  }
  /** @param {Row} row */
  show(row) {
    this.row = row;
    this.title.textContent = `Remove from ${row.group.name}`;
    this.element.setAttribute("aria-label", this.title.textContent);
    this.write(row.floor, row.cap);
    this.element.showPopover();
    this.stand(row.tools.more.getBoundingClientRect());
    this.low.focus();
  }
  /**
   * Below the button, or above it where there is no room.
   * @param {DOMRect} button
   */
  stand(button) {
    const size = this.element.getBoundingClientRect();
    const left = Math.max(MARGIN, Math.min(button.right - size.width, innerWidth - size.width - MARGIN));
    const below = button.bottom + GAP + size.height < innerHeight;
    const top = below ? button.bottom + GAP : Math.max(MARGIN, button.top - size.height - GAP);
    this.element.style.left = `${left}px`;
    this.element.style.top = `${top}px`;
  }
  /** @param {number} floor @param {number} cap */
  write(floor, cap) {
    this.low.value = String(Math.round(1e3 * floor) / 10);
    this.high.value = String(Math.round(1e3 * cap) / 10);
  }
  /** @param {HTMLInputElement} input the field that was changed: the other one gives way */
  change(input) {
    let floor = read(this.low, 0);
    let cap = read(this.high, 100);
    if (floor > cap && input === this.low) cap = floor;
    if (floor > cap) floor = cap;
    this.write(floor, cap);
    if (this.row) this.onChange(this.row, floor, cap);
  }
};
function read(field, fallback) {
  const percent2 = Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : fallback;
  return Math.min(1, Math.max(0, percent2 / 100));
}

// histogram/list.js
var LONGEST = 15;
function totals(all) {
  const rows = all.filter((row) => row.group.movable);
  const n = rows.reduce((sum, row) => sum + row.group.n, 0);
  const pruned = rows.reduce((sum, row) => sum + row.n, 0);
  const exact = rows.every((row) => row.exact);
  return { n, pruned, exact, share: n ? pruned / n : 0 };
}
function shortNames(groups) {
  const long = groups.some((group) => group.name.length > LONGEST);
  return groups.map((group) => {
    const prefix = `${group.block}.`;
    return long && group.name.startsWith(prefix) ? group.name.slice(prefix.length) : group.name;
  });
}
function matches(group, query) {
  const part = query.trim().toLowerCase();
  if (part === "") return true;
  const names = [group.name, group.block, group.kind, ...group.layers];
  return names.some((name) => name.toLowerCase().includes(part));
}
function dearness(row) {
  if (!row.levels) return -1;
  return row.levels.reduce((sum, cost) => sum + (cost === 255 ? 0 : cost), 0) / row.levels.length;
}
var KEYS = { size: (row) => row.group.n, sparsity: (row) => row.share, sensitivity: dearness };
function sorted(rows, order) {
  const key = KEYS[order];
  return [...rows].sort((a, b) => key(b) - key(a));
}

// histogram/list_view.js
var Block = class {
  /** @param {string} name @param {Row[]} rows */
  constructor(name, rows) {
    this.rows = rows;
    this.open = true;
    this.element = make("section", "ph-block");
    this.body = make("div", "ph-rows");
    this.facts = make("span", "ph-facts");
    if (name) this.element.append(this.header(name));
    this.element.append(this.body);
  }
  /** @param {string} name */
  header(name) {
    const head = make("button", "ph-head");
    head.type = "button";
    head.append(make("span", "ph-title", name), icon("chevron"), this.facts);
    head.addEventListener("click", () => this.toggle(head));
    head.setAttribute("aria-expanded", "true");
    return head;
  }
  /** @param {HTMLElement} head */
  toggle(head) {
    this.open = !this.open;
    head.setAttribute("aria-expanded", String(this.open));
    this.body.hidden = !this.open;
  }
  arrange() {
    const names = shortNames(this.rows.map((row) => row.group));
    this.rows.forEach((row, i) => row.name.label.textContent = names[i]);
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    this.element.hidden = this.rows.every((row) => row.element.hidden);
  }
  refresh() {
    const { n, share } = totals(this.rows);
    const text = n ? `${plural(n, this.rows[0].group.unit)} · ${percent(share, 0)} pruned` : "not pruned";
    if (this.facts.textContent !== text) this.facts.textContent = text;
  }
};
var ListView = class {
  /** @param {Row[]} rows */
  constructor(rows) {
    this.rows = rows;
    this.element = make("div", "ph-list");
    this.empty = make("p", "ph-empty");
    const names = [...new Set(rows.map((row) => row.group.block))];
    this.blocks = names.map((name) => new Block(name, rows.filter((row) => row.group.block === name)));
    this.arrange("", "model");
  }
  /** Rows in the order of the screen that may take the focus. */
  get reachable() {
    const elements = [...this.element.querySelectorAll(".ph-row")];
    const shown = elements.filter((row) => !row.closest("[hidden]"));
    const byElement = new Map(this.rows.map((row) => [
      /** @type {Element} */
      row.element,
      row
    ]));
    return shown.flatMap((element) => byElement.get(element) ?? []).filter((row) => row.group.movable);
  }
  /** @param {string} query @param {Order} order */
  arrange(query, order) {
    for (const row of this.rows) row.element.hidden = !matches(row.group, query);
    if (order === "model") this.arrangeBlocks();
    else this.element.replaceChildren(this.flat(order), this.empty);
    this.empty.hidden = this.rows.some((row) => !row.element.hidden);
    this.empty.textContent = this.rows.length ? `No layer is called “${query.trim()}”.` : "This model has nothing to prune.";
  }
  arrangeBlocks() {
    for (const block of this.blocks) block.arrange();
    this.element.replaceChildren(...this.blocks.map((block) => block.element), this.empty);
  }
  /** @param {Exclude<Order, "model">} order */
  flat(order) {
    const body = make("div", "ph-rows");
    for (const row of this.rows) row.name.label.textContent = row.group.name;
    body.append(...sorted(this.rows, order).map((row) => row.element));
    return body;
  }
  refresh() {
    for (const block of this.blocks) block.refresh();
  }
};

// histogram/moves.js
function shortened(value) {
  return Number(value.toPrecision(9));
}
var Moves = class {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
  }
  /**
   * The rows whose thresholds move with this one.
   * @param {Row} row
   * @returns {Row[]}
   */
  followers(row) {
    const { mode, rows } = this.board;
    return mode === "alone" ? [] : rows.filter((other) => other !== row && other.moves);
  }
  /** @param {Row} row @param {number} value */
  show(row, value) {
    row.moveTo(value);
    const { share } = row;
    for (const other of this.followers(row)) {
      if (this.board.mode === "together") other.moveTo(value);
      else other.loseShare(share);
    }
    this.board.refresh();
  }
  /** @param {Row} row @param {number} value @param {boolean} final */
  commit(row, value, final) {
    const { commits, mode } = this.board;
    const move = { group: row.group.name, mode, final };
    if (mode === "share") commits.push({ kind: "share", value: row.share, ...move });
    else commits.push({ kind: "threshold", value, ...move });
  }
  /**
   * By keyboard a share is meant, in whole units: no unit is skipped and none is half gone.
   * @param {Row} row
   * @param {number} n
   * @param {boolean} final
   */
  setCount(row, n, final) {
    row.take(Math.min(row.group.n, Math.max(0, n)), false);
    const { commits, mode } = this.board;
    if (mode === "together") {
      const value = shortened(row.line);
      this.show(row, value);
      this.commit(row, value, final);
      return;
    }
    for (const other of this.followers(row)) other.loseShare(row.share);
    this.board.refresh();
    commits.push({ kind: "share", group: row.group.name, value: row.share, mode, final });
  }
  /** @param {Row} row */
  reset(row) {
    for (const each of [row, ...this.followers(row)]) each.take(0, false);
    this.board.refresh();
    this.board.commits.push({ kind: "reset", group: row.group.name, mode: this.board.mode, final: true });
  }
};

// histogram/note.js
function noteParts(strips, zeros) {
  const hands = "Grey bars are removed. Drag a line or use the arrow keys (with Ctrl: the next layer); double-click puts it back.";
  const already = zeros ? [make("i", "ph-swatch ph-already"), " Already zero. "] : [];
  if (!strips) return [...already, hands];
  const swatch = make("i", "ph-swatch");
  swatch.style.background = `linear-gradient(to right, ${[0, 0.33, 0.67, 1].map(costColour).join(", ")})`;
  return [
    ...already,
    "Strip: what a layer costs if pruned alone up to there (measured scan), from little ",
    swatch,
    " to much; ≈: its cost at the line, estimated. ",
    hands
  ];
}

// histogram/pointer.js
var NEAR = 9;
var FINGER_SLACK = 6;
var Pointer = class {
  /** @param {Board} board @param {Moves} moves */
  constructor(board, moves) {
    this.board = board;
    this.moves = moves;
    this.drag = null;
  }
  listen() {
    const { place } = this.board;
    place.addEventListener("pointerdown", (event) => this.onDown(event));
    place.addEventListener("pointermove", (event) => this.onMove(event));
    place.addEventListener("pointermove", (event) => this.onHover(event));
    place.addEventListener("pointerleave", () => this.board.hint.hide());
    place.addEventListener("pointerup", (event) => this.onUp(event));
    place.addEventListener("pointercancel", (event) => this.onCancel(event));
    place.addEventListener("lostpointercapture", (event) => this.onUp(event));
    place.addEventListener("dblclick", (event) => this.onDouble(event));
    place.addEventListener("click", (event) => this.onClick(event));
  }
  /** @param {PointerEvent} event */
  onDown(event) {
    const row = this.board.rowOf(event);
    if (!row?.moves || event.button !== 0 || this.drag || !onPlot(event)) return;
    const drag = this.begin(row, event);
    this.drag = drag;
    try {
      row.area.setPointerCapture(drag.id);
    } catch {
    }
    row.thumb.focus({ preventScroll: true });
    this.board.host.classList.add("ph-dragging");
    if (!drag.held && !drag.undecided) this.follow(event, drag);
  }
  /** @param {Row} row @param {PointerEvent} event @returns {Drag} */
  begin(row, event) {
    const box = row.area.getBoundingClientRect();
    const { pointerId: id, pointerType, clientX: from } = event;
    const at = box.left + positionOf(row.group, row.line, this.board.scale) * box.width;
    const onThumb = event.target === row.thumb;
    const held2 = onThumb || Math.abs(from - at) < NEAR;
    const undecided = pointerType === "touch" && !onThumb;
    return { row, box, id, from, held: held2, offset: held2 ? at - from : 0, undecided, moved: false, value: void 0 };
  }
  /** @param {PointerEvent} event */
  onMove(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.abs(event.clientX - drag.from);
    if (drag.undecided && far < FINGER_SLACK) return;
    if (!drag.moved && far < 1) return;
    drag.undecided = false;
    drag.moved = true;
    this.follow(event, drag);
  }
  /** What lies under a mouse that drags nothing. @param {PointerEvent} event */
  onHover(event) {
    const row = this.board.rowOf(event);
    if (this.drag || !row?.group.movable || event.pointerType === "touch" || !onPlot(event)) this.board.hint.hide();
    else this.board.hint.show(row, event.clientX, this.board.scale);
  }
  /** @param {PointerEvent} event */
  onUp(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    if (drag.undecided) this.follow(event, drag);
    this.end();
    if (drag.value !== void 0) this.moves.commit(drag.row, drag.value, true);
    else this.board.takeWaiting();
  }
  /** @param {PointerEvent} event */
  onCancel(event) {
    if (!this.drag || event.pointerId !== this.drag.id) return;
    this.drag.undecided = false;
    this.onUp(event);
  }
  end() {
    this.drag = null;
    this.board.host.classList.remove("ph-dragging");
  }
  /**
   * The line goes where the pointer is; numbers follow at once, the server a little later.
   * @param {PointerEvent} event
   * @param {Drag} drag
   */
  follow(event, drag) {
    const position = (event.clientX + drag.offset - drag.box.left) / drag.box.width;
    const value = shortened(valueAt(drag.row.group, position, this.board.scale));
    if (value === drag.value) return;
    drag.value = value;
    this.moves.show(drag.row, value);
    this.moves.commit(drag.row, value, false);
  }
  /** @param {MouseEvent} event */
  onDouble(event) {
    const row = this.board.rowOf(event);
    if (row?.moves && onPlot(event)) this.moves.reset(row);
  }
  /** @param {MouseEvent} event */
  onClick(event) {
    const row = this.board.rowOf(event);
    if (!row?.group.movable) return;
    const target2 = elementOf(event);
    if (target2?.closest(".ph-lock")) this.board.setLock(row);
    else if (target2?.closest(".ph-more")) this.board.menu.show(row);
  }
};
function onPlot(event) {
  return Boolean(elementOf(event)?.closest(".ph-area"));
}

// histogram/row_elements.js
function makeName(group) {
  const element = make("div", "ph-name");
  const label = make("code", "ph-label", group.name);
  label.title = [.../* @__PURE__ */ new Set([group.name, ...group.layers])].join("\n");
  element.append(label, make("span", "ph-size", plural(group.n, group.unit)));
  return { element, label };
}
function makePlot(group) {
  const element = make("div", "ph-plot");
  const area = make("div", "ph-area");
  const bars = ["ph-gone", "ph-kept"].map((className) => {
    const svg = makeSvg("svg", { class: className, "aria-hidden": "true" });
    const path = makeSvg("path");
    svg.append(path);
    area.append(svg);
    return path;
  });
  const zeros = make("div", "ph-zeros ph-already");
  area.append(zeros);
  const rule = make("div", "ph-rule");
  const thumb = makeThumb(group.name);
  rule.append(thumb);
  area.append(rule);
  const strip = make("div", "ph-strip");
  strip.setAttribute("aria-hidden", "true");
  element.append(area, strip);
  return { element, area, bars, zeros, thumb, strip };
}
function makeThumb(name) {
  const thumb = make("div", "ph-thumb");
  thumb.setAttribute("role", "slider");
  thumb.setAttribute("aria-orientation", "horizontal");
  thumb.setAttribute("aria-valuemin", "0");
  thumb.setAttribute("aria-valuemax", "100");
  thumb.setAttribute("aria-valuenow", "0");
  thumb.setAttribute("aria-label", name);
  thumb.tabIndex = -1;
  return thumb;
}
function makeReadout() {
  const element = make("div", "ph-read");
  const share = make("span", "ph-share");
  const line = make("span", "ph-line");
  element.append(share, line);
  return { element, share, line, cost: make("div", "ph-cost") };
}
function makeTools(group) {
  const element = make("div", "ph-tools");
  const more = iconButton("more", `Limits of ${group.name}`, "ph-tool ph-more");
  more.setAttribute("aria-haspopup", "dialog");
  const lock = iconButton("open", "", "ph-tool ph-lock");
  element.append(more, lock);
  more.tabIndex = -1;
  lock.tabIndex = -1;
  return { element, more, lock };
}

// histogram/standing.js
var Standing = class {
  /** @param {Group} group */
  constructor(group) {
    this.group = group;
    this.n = 0;
    this.line = group.start;
    this.exact = true;
    this.locked = false;
    this.floor = 0;
    this.cap = 1;
    this.cost = "";
    this.levels = null;
    this.whole = 0;
    this.placed = false;
  }
  get share() {
    return this.group.n ? this.n / this.group.n : 0;
  }
  get moves() {
    return this.group.movable && !this.locked;
  }
  /**
   * Stand at a value; limits hold.
   * @param {number} value
   */
  moveTo(value) {
    this.line = value;
    this.placed = true;
    this.take(countBelow(this.group, value), true);
  }
  /**
   * Lose a share; limits hold.
   * @param {number} share
   */
  loseShare(share) {
    this.take(Math.round(share * this.group.n), false);
  }
  /** @param {number} n */
  standsFor(n) {
    return this.placed && this.group.exact && countBelow(this.group, this.line) === n;
  }
  /** @param {number} n @param {boolean} byLine whether the line has been put where it should stand */
  take(n, byLine) {
    const least = Math.ceil(this.floor * this.group.n);
    const most = Math.floor(this.cap * this.group.n);
    this.n = Math.min(most, Math.max(least, n));
    if (!byLine || this.n !== n) this.line = lineFor(this.group, this.n);
    this.exact = false;
  }
};

// histogram/row.js
var STRIP_CELLS = 56;
var Row = class extends Standing {
  /** @param {Group} group @param {number} index @param {string} symbol of the axis, as "|w|" */
  constructor(group, index, symbol) {
    super(group);
    this.index = index;
    this.symbol = symbol;
    this.visible = false;
    this.drawn = "";
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
    const bar2 = zeroBar(this.group, width, height);
    zeros.style.width = `${bar2.width}px`;
    zeros.style.height = `${bar2.height}px`;
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
      stops.push(`${cost === null ? "transparent" : costColour(cost)} ${(100 * i / STRIP_CELLS).toFixed(1)}%`);
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
};

// histogram/sight.js
var AHEAD = "160px";
var Sight = class {
  /** @param {HTMLElement} host @param {() => { rows: Row[], scale: Scale }} shown */
  constructor(host, shown) {
    this.shown = shown;
    this.width = 0;
    this.height = 0;
    this.seer = new IntersectionObserver((entries) => this.onSight(entries), { rootMargin: AHEAD });
    this.sizer = new ResizeObserver(() => this.measure());
    this.sizer.observe(host);
  }
  /**
   * Other rows than before.
   * @param {Row[]} rows
   */
  watch(rows) {
    this.width = 0;
    this.seer.disconnect();
    for (const row of rows) {
      row.element.dataset.index = String(row.index);
      this.seer.observe(row.element);
    }
  }
  /** @param {IntersectionObserverEntry[]} entries */
  onSight(entries) {
    const { rows } = this.shown();
    for (const entry of entries) {
      const row = rows[Number(
        /** @type {HTMLElement} */
        entry.target.dataset.index
      )];
      if (!row) continue;
      row.visible = entry.isIntersecting;
      if (row.visible) this.draw(row);
    }
  }
  measure() {
    const measured = this.shown().rows.find((row) => row.group.movable && row.area.clientWidth > 0);
    const width = measured ? measured.area.clientWidth : 0;
    if (!measured || width === this.width) return;
    this.width = width;
    this.height = measured.area.clientHeight;
    this.drawVisible();
  }
  /** @param {Row} row */
  draw(row) {
    const { scale } = this.shown();
    if (!this.width) this.measure();
    row.draw(scale, this.width, this.height);
    row.refresh(scale);
  }
  drawVisible() {
    for (const row of this.shown().rows) if (row.visible) this.draw(row);
  }
  stop() {
    this.seer.disconnect();
    this.sizer.disconnect();
  }
};

// histogram/toolbar.js
var MODES = [
  ["alone", "alone", "Each line moves alone"],
  ["together", "together, one value", "All unlocked lines stand at one value"],
  ["share", "uniform", "All unlocked layers lose the same share"]
];
var SCALES = [
  ["linear", "linear", "Magnitudes on a linear axis"],
  ["log", "log", "Magnitudes on a logarithmic axis"]
];
var ORDERS = [
  ["model", "model order"],
  ["size", "largest first"],
  ["sparsity", "most pruned first"],
  ["sensitivity", "most sensitive first"]
];
var Toolbar = class {
  /** @param {ToolbarActions} on */
  constructor(on) {
    this.element = make("div", "ph-tools-top");
    this.modes = segmented("Thresholds move", MODES, on.mode);
    this.scales = segmented("Axis", SCALES, on.scale);
    this.undo = iconButton("undo", "Undo", "ph-button");
    this.redo = iconButton("redo", "Redo", "ph-button");
    this.undo.addEventListener("click", () => on.step("undo"));
    this.redo.addEventListener("click", () => on.step("redo"));
    this.search = makeSearch(on.arrange);
    this.orders = make("select", "ph-order");
    this.orders.setAttribute("aria-label", "Order of the layers");
    this.orders.addEventListener("change", on.arrange);
    this.total = make("p", "ph-total");
    this.scope = "";
    this.finder = make("div", "ph-bar");
    this.lay();
    this.offerSensitivity(false);
  }
  get query() {
    return this.search.value;
  }
  get order() {
    return (
      /** @type {Order} */
      this.orders.value || "model"
    );
  }
  lay() {
    const first = make("div", "ph-bar");
    this.modes.element.classList.add("ph-modes");
    this.scales.element.classList.add("ph-scales");
    this.finder.classList.add("ph-finder");
    const steps = make("span", "ph-steps");
    steps.append(this.undo, this.redo);
    const caption = make("span", "ph-caption", "thresholds move");
    caption.setAttribute("aria-hidden", "true");
    first.append(caption, this.modes.element, steps);
    this.finder.append(this.search, this.orders);
    const last = make("div", "ph-bar ph-facts-bar");
    last.append(this.total, this.scales.element);
    this.element.append(first, this.finder, last);
  }
  /**
   * The order by sensitivity is there once something was scanned.
   * @param {boolean} scanned
   */
  offerSensitivity(scanned) {
    const before = this.order;
    const offered = ORDERS.filter(([value]) => scanned || value !== "sensitivity");
    this.orders.replaceChildren(...offered.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    this.orders.value = offered.some(([value]) => value === before) ? before : "model";
  }
  /** @param {Row[]} rows */
  refresh(rows) {
    const { n, pruned, exact, share } = totals(rows);
    const about = exact ? "" : "≈ ";
    const unit = rows[0]?.group.unit ?? "weight";
    const strong = make("strong", "", `${about}${percent(share)} pruned`);
    const counts = `${about}${pruned.toLocaleString("en")} of ${n.toLocaleString("en")} ${unit}s`;
    this.total.replaceChildren(strong, ` ${counts} ${this.scope}`.trimEnd());
  }
};
function makeSearch(onInput) {
  const search = make("input", "ph-search");
  search.type = "search";
  search.placeholder = "Find a layer";
  search.setAttribute("aria-label", "Find a layer");
  search.addEventListener("input", onInput);
  return search;
}

// histogram/histogram.js
var PARTS = ["mode", "scale", "steps", "search", "tools"];
var FEW_ROWS = 6;
var Histogram = class {
  /** @param {HTMLElement | ShadowRoot} root @param {OnChange} onChange */
  constructor(root, onChange) {
    this.onChange = onChange;
    this.commits = new Commits((events) => this.send(events));
    this.rows = [];
    this.list = new ListView([]);
    this.mode = "alone";
    this.scale = "linear";
    this.waiting = null;
    this.digest = void 0;
    this.strips = void 0;
    this.revision = void 0;
    this.asked = void 0;
    this.host = make("div", "ph");
    this.toolbar = new Toolbar({
      mode: (mode) => this.setMode(mode),
      scale: (scale) => this.setScale(scale),
      step: (kind) => this.commits.push({ kind, final: true }),
      arrange: () => this.arrange()
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
    const element = elementOf(event)?.closest(".ph-row");
    return element ? this.rows[Number(element.dataset.index)] : void 0;
  }
  /** @param {Payload} payload */
  update(payload) {
    const fixed = wholeStatic(payload.static);
    const strips = wholeStrips(payload.strips);
    if (payload.static && !fixed || payload.strips && !strips) this.ask(payload);
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
    this.revision = void 0;
    this.pointer.drag = null;
    this.rows = fixed.groups.map((packed, index) => new Row(makeGroup(packed), index, fixed.symbol));
    this.list = new ListView(this.rows);
    this.host.style.setProperty("--read", `${Math.min(120, 60 + 8 * fixed.symbol.length)}px`);
    this.place.replaceChildren(this.list.element);
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
};
function applyTo(row, i, dynamic) {
  const { group } = row;
  const [floor, cap] = dynamic.limits[group.name] ?? [0, 1];
  row.cost = dynamic.expected[group.name] ?? "";
  Object.assign(row, { floor, cap, n: dynamic.pruned[i], locked: Boolean(dynamic.locked[i]), exact: true });
  if (group.movable && !row.standsFor(row.n)) {
    row.line = dynamic.lines[i] ?? lineFor(group, row.n);
    row.placed = false;
  }
  row.refreshState();
  if (group.movable) row.speak();
}
var mounted = /* @__PURE__ */ new WeakMap();
function mount(root, payload, onChange) {
  const histogram = mounted.get(root) ?? new Histogram(root, onChange);
  mounted.set(root, histogram);
  histogram.onChange = onChange;
  histogram.update(payload);
  return {
    update: (next) => histogram.update(next),
    destroy() {
      if (mounted.get(root) === histogram) mounted.delete(root);
      histogram.destroy();
    }
  };
}

// slot.js
var SLOT = /* @__PURE__ */ Symbol.for(`pruning-explorer.histogram.${"3c94510431259726"}`);
function slot() {
  const page = (
    /** @type {Record<symbol, Slot>} */
    /** @type {unknown} */
    globalThis
  );
  return page[SLOT] ??= Promise.withResolvers();
}

// streamlit_parts.js
slot().resolve({ mount, css: histogram_default });
function streamlit_parts_default() {
}
export {
  streamlit_parts_default as default
};
