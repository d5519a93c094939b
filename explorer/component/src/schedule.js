// @ts-check
// The schedule as a Streamlit component: draws itself from what explorer/component/schedule.py
// packs, tells its corner as the state `line`.

import css from "./schedule/schedule.css";
import { ScheduleView } from "./schedule/view.js";

/** @import { ScheduleData, StreamlitArguments } from "./types.js" */

/** @type {WeakMap<Node, { text: string, view: ScheduleView, style: HTMLStyleElement }>} */
const drawn = new WeakMap();

/** @param {StreamlitArguments<ScheduleData>} place */
export default function ({ data, parentElement, setStateValue }) {
  const before = drawn.get(parentElement);
  const text = JSON.stringify(data);
  if (before?.text === text) return;
  const style = document.createElement("style");
  style.textContent = css;
  const root = /** @type {Document | ShadowRoot} */ (parentElement.getRootNode());
  const hadFocus = before?.view.element.contains(root.activeElement);
  const box = parentElement instanceof ShadowRoot ? parentElement.host : parentElement;
  const view = new ScheduleView(data, box.getBoundingClientRect().width, (line) => setStateValue("line", line));
  before?.view.element.remove();
  before?.style.remove();
  parentElement.append(style, view.element);
  if (hadFocus) view.ring.focus();
  drawn.set(parentElement, { text, view, style });
}
