// @ts-check
// Adapter to notebooks by anywidget. The model's traits `_static`, `_strips` and `_dynamic` are the payload's parts,
// `_around` and `_chart` what stands beside the histograms; `_commit` takes what the user does to a line, `_choice` what
// is chosen above them. `_views` says whether anybody looks.

import { mount } from "./histogram/histogram.js";
import { Face } from "./notebook/face.js";
import { showSaved } from "./notebook/saved.js";

/** @import { Payload } from "./types.js" */

/**
 * @typedef {object} WidgetModel
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(name: string, handle: () => void) => void} on
 * @property {(name: string, handle: () => void) => void} off
 */

let lastChoice = Date.now(); // two equal choices differ in it

/** @param {WidgetModel} model @param {string} name @param {unknown} value */
function tell(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/** @param {{ model: WidgetModel, el: HTMLElement }} place */
function render({ model, el }) {
  const face = new Face(el, (choice) => tell(model, "_choice", { ...choice, seq: (lastChoice += 1) }));
  /** @returns {Payload} */
  const payload = () => ({ static: model.get("_static"), strips: model.get("_strips"), dynamic: model.get("_dynamic") });
  const instance = mount(face.lines, payload(), (commit) => tell(model, "_commit", commit));
  const update = () => instance.update(payload());
  const around = () => face.show(model.get("_around") ?? {});
  const chart = () => face.showChart(model.get("_chart") ?? {});
  /** @type {[string, () => void][]} */
  const watched = [
    ["_static", update],
    ["_strips", update],
    ["_dynamic", update],
    ["_around", around],
    ["_chart", chart],
  ];
  for (const [name, handle] of watched) model.on(`change:${name}`, handle);
  around();
  chart();
  tell(model, "_views", (model.get("_views") ?? 0) + 1);
  return () => {
    for (const [name, handle] of watched) model.off(`change:${name}`, handle);
    instance.destroy();
    face.destroy();
    tell(model, "_views", Math.max(0, model.get("_views") - 1));
  };
}

// A page that was saved runs this same file, and then showSaved().
export { mount, showSaved };
export default { render };
