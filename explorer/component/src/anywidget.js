// @ts-check
// Adapter to notebooks by anywidget. The model's traits `static`, `strips` and `dynamic` are the
// payload's parts; `commit` takes what the user does.

import { mount } from "./histogram/histogram.js";

/** @import { Payload } from "./types.js" */

/**
 * @typedef {object} WidgetModel
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(name: string, handle: () => void) => void} on
 * @property {(name: string, handle: () => void) => void} off
 */

const PARTS = ["static", "strips", "dynamic"];

/** @param {{ model: WidgetModel, el: HTMLElement }} place */
function render({ model, el }) {
  /** @returns {Payload} */
  const payload = () => ({ static: model.get("static"), strips: model.get("strips"), dynamic: model.get("dynamic") });
  const instance = mount(el, payload(), (commit) => {
    model.set("commit", commit);
    model.save_changes();
  });
  const update = () => instance.update(payload());
  const watched = PARTS.map((trait) => `change:${trait}`);
  for (const name of watched) model.on(name, update);
  return () => {
    for (const name of watched) model.off(name, update);
    instance.destroy();
  };
}

export { mount };
export default { render };
