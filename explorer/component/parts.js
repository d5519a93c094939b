// Small pieces of the document. Text is only ever set as text: names come from files.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  locked: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z",
  open: "M4.5 7V5a3.5 3.5 0 0 1 6.6-1.6M3.5 7h9v6.5h-9z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  undo: "M6 3.5 3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
  chevron: "M5.5 6.5 8 9l2.5-2.5",
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "ph-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
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

/** A row of choices of which one is on; arrow keys move between them. */
function segmented(label, choices, onPick) {
  const group = make("div", "ph-segments");
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", label);
  const buttons = choices.map(([value, text, help]) => {
    const button = make("button", "ph-segment", text);
    button.type = "button";
    button.dataset.value = value;
    button.title = help;
    button.setAttribute("role", "radio");
    button.addEventListener("click", () => onPick(value));
    group.append(button);
    return button;
  });
  group.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    next.focus();
    onPick(next.dataset.value);
  });
  const show = (value) => {
    for (const button of buttons) {
      const on = button.dataset.value === value;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  };
  return { element: group, show };
}

function shortCount(n) {
  if (n < 1000) return String(n);
  if (n < 999_950) return `${(n / 1000).toFixed(1)}k`;
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

/** From cheap (blue) to dear (orange): two hues that colour-blind people tell apart. */
function costColour(cost) {
  const stops = [
    [47, 111, 214],
    [168, 182, 204],
    [242, 153, 60],
    [201, 74, 0],
  ];
  const place = Math.min(0.9999, Math.max(0, cost)) * (stops.length - 1);
  const i = Math.floor(place);
  const mixed = stops[i].map((from, c) => Math.round(from + (place - i) * (stops[i + 1][c] - from)));
  return `rgb(${mixed.join(" ")})`;
}
