// @ts-check
// Adapter to Streamlit's components v2: small, because it travels with every rerun. The default
// export runs again with each of them; what it returns runs when the component leaves the page, or
// late, after a newer call has begun: then there is nothing to clean up.

import { slot } from "./slot.js";

/** @import { Payload, StreamlitArguments } from "./types.js" */

/** @type {WeakMap<Node, number>} parentElement -> number of the latest call */
const turns = new WeakMap();

/** @param {ParentNode} root @param {string} css */
function dress(root, css) {
  const dressed = root.querySelector("style[data-ph]");
  if (dressed?.textContent === css) return;
  const style = dressed ?? document.createElement("style");
  style.setAttribute("data-ph", "");
  style.textContent = css;
  root.prepend(style);
}

/** @param {StreamlitArguments<Payload>} place */
export default async function ({ data, parentElement, setStateValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const isLatest = () => turns.get(parentElement) === turn;
  const { mount, css } = await slot().promise;
  if (!isLatest()) return () => {};
  dress(parentElement, css);
  const instance = mount(parentElement, data, (commit) => setStateValue("commit", commit));
  return () => {
    if (isLatest()) instance.destroy();
  };
}
