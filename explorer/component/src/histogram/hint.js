// @ts-check
// What the bars under a resting mouse hold: a small box above them, for the eye alone. The slider says it in words.

import { countBelow, valueAt } from "./axis.js";
import { make } from "../elements.js";
import { percent, shortNumber } from "./text.js";

/** @import { Row } from "./row.js" */
/** @import { Group, Scale } from "../types.js" */

const BAR = 4; // pixels to each side that count as the bar under the mouse

/**
 * In a line: the place on the axis, what lies about there, and what lies below it.
 * @param {{ group: Group, symbol: string }} row @param {number} at @param {number} aside @param {Scale} scale
 */
export function hintWords({ group, symbol }, at, aside, scale) {
  /** @param {number} place */
  const below = (place) => countBelow(group, valueAt(group, place, scale));
  const here = Math.max(0, below(at + aside) - below(at - aside)).toLocaleString("en");
  const about = group.exact ? "" : "≈ ";
  const value = `${symbol} = ${shortNumber(valueAt(group, at, scale))}`;
  return `${value} · ${about}${here} ${group.unit}s here · ${about}${percent(below(at) / group.n)} below`;
}

export class Hint {
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
}
