// @ts-check
// The tools above the list: how thresholds move, the axis, steps back, search and order.

import { iconButton, make, segmented } from "../elements.js";
import { totals } from "./list.js";
import { percent } from "./text.js";

/** @import { Row } from "./row.js" */
/** @import { Mode, Order, Scale } from "../types.js" */

/** @type {[Mode, string, string][]} */
const MODES = [
  ["alone", "alone", "Each line moves alone"],
  ["together", "together, one value", "All unlocked lines stand at one value"],
  ["share", "uniform", "All unlocked layers lose the same share"],
];
/** @type {[Scale, string, string][]} */
const SCALES = [
  ["linear", "linear", "Magnitudes on a linear axis"],
  ["log", "log", "Magnitudes on a logarithmic axis"],
];
/** @type {[Order, string][]} */
const ORDERS = [
  ["model", "model order"],
  ["size", "largest first"],
  ["sparsity", "most pruned first"],
  ["sensitivity", "most sensitive first"],
];

/**
 * @typedef {object} ToolbarActions what happens
 * @property {(mode: Mode) => void} mode
 * @property {(scale: Scale) => void} scale
 * @property {(kind: "undo" | "redo") => void} step
 * @property {() => void} arrange
 */

export class Toolbar {
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
    this.scope = ""; // said behind the total where it is not that of all rows
    this.finder = make("div", "ph-bar");
    this.lay();
    this.offerSensitivity(false);
  }

  get query() {
    return this.search.value;
  }

  get order() {
    return /** @type {Order} */ (this.orders.value || "model");
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
}

/** @param {() => void} onInput */
function makeSearch(onInput) {
  const search = make("input", "ph-search");
  search.type = "search";
  search.placeholder = "Find a layer";
  search.setAttribute("aria-label", "Find a layer");
  search.addEventListener("input", onInput);
  return search;
}
