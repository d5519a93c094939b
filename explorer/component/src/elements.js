// @ts-check
// Small pieces of the document. Text is only ever set as text: names come from files.

export const SVG = "http://www.w3.org/2000/svg";
export const ICONS = {
  locked: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z",
  open: "M4.5 7V5a3.5 3.5 0 0 1 6.6-1.6M3.5 7h9v6.5h-9z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  undo: "M6 3.5 3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  chevron: "M5.5 6.5 8 9l2.5-2.5",
};

/** @typedef {keyof typeof ICONS} IconName */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 * @returns {SVGElementTagNameMap[T]}
 */
export function makeSvg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {IconName} name */
export function icon(name) {
  const svg = makeSvg("svg", { viewBox: "0 0 16 16", class: "ph-icon", "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: ICONS[name] }));
  return svg;
}

/** @param {IconName} name @param {string} label @param {string} className */
export function iconButton(name, label, className) {
  const button = make("button", className);
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(icon(name));
  return button;
}

/**
 * A row of choices of which one is on; arrow keys move between them.
 * @template {string} T
 * @param {string} label
 * @param {[value: T, text: string, help: string][]} choices
 * @param {(value: T) => void} onPick
 */
export function segmented(label, choices, onPick) {
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
  return { element, show: (/** @type {T} */ value) => showPicked(buttons, value) };
}

/** @param {string} value @param {string} text @param {string} help */
function segment(value, text, help) {
  const button = make("button", "ph-segment", text);
  button.type = "button";
  button.dataset.value = value;
  button.title = help;
  button.setAttribute("role", "radio");
  return button;
}

/** @param {HTMLButtonElement[]} buttons @param {string} value */
function showPicked(buttons, value) {
  for (const button of buttons) {
    const on = button.dataset.value === value;
    button.setAttribute("aria-checked", String(on));
    button.tabIndex = on ? 0 : -1;
  }
}
