// The planned sparsity over the epochs, with one handle at its corner: drag it up and down for how
// much goes in the end, left and right for when pruning ends. Arrow keys do the same.
// data: { points: [[epoch, share], ...] (steps), epochs, end (0..1 of the epochs), final (0..1),
//         moves_end (may the handle move sideways), words }
// While the hand moves, the drawn steps are stretched; on release the page computes them anew.

const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 200, WIDE = 560, NARROW = 340, LEFT = 44, RIGHT = 18, TOP = 16, BOTTOM = 34;
const LOWEST = 0.05, HIGHEST = 0.99;
const CSS = `
.ps { display: block; width: 100%; height: auto; font-family: var(--st-font, system-ui, sans-serif); touch-action: none;
  --accent: var(--st-primary-color, #4b51c4); --ink: var(--st-text-color, #1c1f26); --paper: var(--st-background-color, #fff);
  --muted: color-mix(in srgb, var(--ink) 68%, var(--paper)); --line: color-mix(in srgb, var(--ink) 14%, var(--paper)); }
.ps text { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }
.ps .grid { stroke: var(--line); stroke-width: 1; }
.ps .steps { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.ps .area { fill: color-mix(in srgb, var(--accent) 12%, transparent); }
.ps .knob { fill: var(--paper); stroke: var(--accent); stroke-width: 2.5; cursor: grab; }
.ps .knob:focus { outline: none; } .ps .knob:focus-visible { stroke-width: 5; }
.ps .held { cursor: grabbing; } .ps .now { fill: var(--ink); font-weight: 650; }
`;
const turns = new WeakMap();

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const percent = (share) => `${Math.round(100 * share)}%`;

function node(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function draw(root, data, commit) {
  // Letters shrink with the drawing: on a phone it is drawn narrower instead.
  const room = (root.host ?? root).getBoundingClientRect().width;
  const WIDTH = room > 0 && room < 440 ? NARROW : WIDE;
  const svg = node("svg", { class: "ps", viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  const x = (share) => LEFT + share * (WIDTH - LEFT - RIGHT);
  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  let end = data.end, final = data.final;
  for (const level of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(node("line", { class: "grid", x1: x(0), x2: x(1), y1: y(level), y2: y(level) }));
    svg.append(node("text", { x: LEFT - 8, y: y(level) + 4, "text-anchor": "end" }, percent(level)));
  }
  for (const share of [0, 0.5, 1]) {
    svg.append(node("text", { x: x(share), y: HEIGHT - 12, "text-anchor": share === 1 ? "end" : share ? "middle" : "start" },
      share === 1 ? `${data.epochs} epochs` : String(Math.round(share * data.epochs))));
  }
  const area = node("path", { class: "area" }), steps = node("path", { class: "steps" });
  const now = node("text", { class: "now", "text-anchor": "end" });
  const knob = node("circle", { class: "knob", r: 8, tabindex: 0, role: "slider", "aria-label": data.words,
    "aria-valuemin": 5, "aria-valuemax": 99 });
  svg.append(area, steps, now, knob);

  function show() {
    const wide = data.end > 0 ? end / data.end : 1, high = data.final > 0 ? final / data.final : 1;
    const at = data.points.map(([epoch, share]) => [x(clamp((epoch / data.epochs) * wide, 0, 1)), y(clamp(share * high, 0, 1))]);
    let path = "";
    at.forEach(([px, py], i) => { path += i ? `H${px}V${py}` : `M${px} ${py}`; });
    path += `H${x(1)}`;
    steps.setAttribute("d", path);
    area.setAttribute("d", `${path}V${y(0)}H${x(0)}Z`);
    knob.setAttribute("cx", x(end));
    knob.setAttribute("cy", y(final));
    knob.setAttribute("aria-valuenow", Math.round(100 * final));
    knob.setAttribute("aria-valuetext", `${percent(final)} pruned after ${Math.round(end * data.epochs)} of ${data.epochs} epochs`);
    now.setAttribute("x", clamp(x(end) - 14, LEFT + 40, WIDTH));
    now.setAttribute("y", Math.max(TOP, y(final) - 8));
    now.textContent = percent(final);
  }

  function move(share, level) {
    if (data.moves_end) end = clamp(Math.round(share * data.epochs) / data.epochs, 1 / data.epochs, 1);
    final = clamp(Math.round(100 * level) / 100, LOWEST, HIGHEST);
    show();
  }

  const tell = () => commit({ end, final });
  knob.addEventListener("pointerdown", (event) => {
    knob.setPointerCapture(event.pointerId);
    knob.classList.add("held");
    event.preventDefault();
    knob.focus({ focusVisible: false });
  });
  knob.addEventListener("pointermove", (event) => {
    if (!knob.hasPointerCapture(event.pointerId)) return;
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * WIDTH, py = ((event.clientY - box.top) / box.height) * HEIGHT;
    move((px - LEFT) / (WIDTH - LEFT - RIGHT), (HEIGHT - BOTTOM - py) / (HEIGHT - TOP - BOTTOM));
  });
  knob.addEventListener("pointerup", () => { knob.classList.remove("held"); tell(); });
  knob.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    const by = { ArrowUp: [0, 0.01], ArrowDown: [0, -0.01], ArrowRight: [1 / data.epochs, 0], ArrowLeft: [-1 / data.epochs, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    move(end + step * by[0], final + step * by[1]);
    tell();
  });
  show();
  return svg;
}

export default function ({ data, parentElement, setStateValue }) {
  const held = turns.get(parentElement);
  const text = JSON.stringify(data);
  if (held?.text === text) return;
  const style = document.createElement("style");
  style.textContent = CSS;
  const hadFocus = held?.svg.contains(parentElement.getRootNode().activeElement);
  const svg = draw(parentElement, data, (value) => setStateValue("line", value));
  held?.svg.remove();
  held?.style.remove();
  parentElement.append(style, svg);
  if (hadFocus) svg.querySelector(".knob").focus();
  turns.set(parentElement, { text, svg, style });
}
