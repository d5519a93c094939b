// @ts-check
// The drawing of a curve as a Streamlit component: draws itself from what explorer/component/drawing.py packs, tells
// its heights as the state `curve`.

import css from "./drawing/drawing.css";
import { DrawingView } from "./drawing/view.js";

/** @import { DrawingData, StreamlitArguments } from "./types.js" */

/** @type {WeakMap<Node, { text: string, view: DrawingView, style: HTMLStyleElement }>} */
const drawn = new WeakMap();

/** @param {StreamlitArguments<DrawingData>} place */
export default function ({ data, parentElement, setStateValue }) {
  const before = drawn.get(parentElement);
  // Its own heights come back with the next run: drawn anew, the chart would lose the focus.
  const text = JSON.stringify({ ...data, heights: data.locked ? data.heights : null });
  if (before?.text === text) return;
  const style = document.createElement("style");
  style.textContent = css;
  const box = parentElement instanceof ShadowRoot ? parentElement.host : parentElement;
  const width = box.getBoundingClientRect().width;
  const view = new DrawingView(data, width, (heights) => setStateValue("curve", heights));
  before?.view.element.remove();
  before?.style.remove();
  parentElement.append(style, view.element);
  drawn.set(parentElement, { text, view, style });
}
