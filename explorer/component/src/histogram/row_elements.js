// @ts-check
// What a row is made of: its name, the plot with the handle, the numbers and the two buttons.

import { iconButton, make, makeSvg } from "../elements.js";
import { plural } from "./text.js";

/** @import { Group } from "../types.js" */

/** @param {Group} group */
export function makeName(group) {
  const element = make("div", "ph-name");
  const label = make("code", "ph-label", group.name);
  label.title = [...new Set([group.name, ...group.layers])].join("\n");
  element.append(label, make("span", "ph-size", plural(group.n, group.unit)));
  return { element, label };
}

/** @param {Group} group */
export function makePlot(group) {
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

/** @param {string} name */
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

export function makeReadout() {
  const element = make("div", "ph-read");
  const share = make("span", "ph-share");
  const line = make("span", "ph-line");
  element.append(share, line);
  return { element, share, line, cost: make("div", "ph-cost") };
}

/** @param {Group} group */
export function makeTools(group) {
  const element = make("div", "ph-tools");
  const more = iconButton("more", `Limits of ${group.name}`, "ph-tool ph-more");
  more.setAttribute("aria-haspopup", "dialog");
  const lock = iconButton("open", "", "ph-tool ph-lock");
  element.append(more, lock);
  more.tabIndex = -1;
  lock.tabIndex = -1;
  return { element, more, lock };
}
