// @ts-check
// At least and at most, for one row. It floats above everything, so that no row clips it.

import { make } from "../elements.js";

/** @import { Row } from "./row.js" */

const MARGIN = 8; // pixels to the window's edge
const GAP = 4; // pixels to the button

export class LimitMenu {
  /** @param {(row: Row, floor: number, cap: number) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Row | null} */
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
    this.low.value = String(Math.round(1000 * floor) / 10);
    this.high.value = String(Math.round(1000 * cap) / 10);
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
}

/** @param {HTMLInputElement} field @param {number} fallback */
function read(field, fallback) {
  const percent = Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : fallback;
  return Math.min(1, Math.max(0, percent / 100));
}
