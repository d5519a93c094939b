// @ts-check
// A page that was saved from a notebook: one file, no server. Lines are still draggable; what their place
// removes is read from the counted curve, and nothing is measured.

import { mount } from "../histogram/histogram.js";
import { Face } from "./face.js";

const NOTE =
  "A line was moved: its share is read from the counted curve (≈ between two counts). The facts below are those of the saved setting.";

/** Draw what the page holds, where it holds anything. */
export function showSaved() {
  const holder = document.getElementById("pruning-explorer-saved");
  const place = document.getElementById("pruning-explorer");
  if (!holder || !place) return;
  const saved = JSON.parse(holder.textContent ?? "{}");
  const face = new Face(place, null);
  const moves = ["threshold", "share", "reset"];
  mount(face.lines, saved.payload, ({ events }) => {
    if (events.some((event) => moves.includes(event.kind))) face.outdate(NOTE);
  });
  face.show(saved.around);
  face.showChart(saved.chart);
}
