// @ts-check
// The line below the list that says what is seen and what hands may do.

import { make } from "../elements.js";
import { costColour } from "./text.js";

/**
 * @param {boolean} strips whether there are coloured strips to explain
 * @param {boolean} zeros whether weights were zero already
 * @returns {(string | HTMLElement)[]}
 */
export function noteParts(strips, zeros) {
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
    hands,
  ];
}
