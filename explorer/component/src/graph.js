// @ts-check
// The graph of a network as a Streamlit component: draws what explorer/component/graph.py packs, sends the trigger
// `node` when a box is chosen.

import css from "./graph/graph.css";
import { GraphView } from "./graph/view.js";

/** @import { GraphData, StreamlitArguments } from "./types.js" */

/** @type {WeakMap<Node, { shape: string, view: GraphView }>} */
const drawn = new WeakMap();

/** @param {StreamlitArguments<GraphData>} place */
export default function ({ data, parentElement, setTriggerValue }) {
  const before = drawn.get(parentElement);
  // Another choice lights other boxes; only another network is drawn anew, so that zoom and place stay.
  const shape = JSON.stringify([data.words, data.lines, data.nodes.map(({ name, at }) => [name, at])]);
  if (before?.shape === shape) {
    before.view.show(data);
    return;
  }
  const view = new GraphView(data, (name) => setTriggerValue("node", name));
  const style = document.createElement("style");
  style.textContent = css;
  parentElement.replaceChildren(style, view.element);
  view.show(data);
  view.begin();
  drawn.set(parentElement, { shape, view });
}
