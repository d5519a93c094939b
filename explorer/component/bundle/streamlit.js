// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// slot.js
var SLOT = /* @__PURE__ */ Symbol.for(`pruning-explorer.histogram.${"3c94510431259726"}`);
function slot() {
  const page = (
    /** @type {Record<symbol, Slot>} */
    /** @type {unknown} */
    globalThis
  );
  return page[SLOT] ??= Promise.withResolvers();
}

// streamlit.js
var turns = /* @__PURE__ */ new WeakMap();
function dress(root, css) {
  const dressed = root.querySelector("style[data-ph]");
  if (dressed?.textContent === css) return;
  const style = dressed ?? document.createElement("style");
  style.setAttribute("data-ph", "");
  style.textContent = css;
  root.prepend(style);
}
async function streamlit_default({ data, parentElement, setStateValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const isLatest = () => turns.get(parentElement) === turn;
  const { mount, css } = await slot().promise;
  if (!isLatest()) return () => {
  };
  dress(parentElement, css);
  const instance = mount(parentElement, data, (commit) => setStateValue("commit", commit));
  return () => {
    if (isLatest()) instance.destroy();
  };
}
export {
  streamlit_default as default
};
