// Adapter to Streamlit's components v2. The default export runs again with every rerun of the
// script; what it returns runs when the component leaves the page, or late, after a newer call
// has begun: then there is nothing to clean up.

const turns = new WeakMap(); // parentElement -> number of the latest call

function dress(root, css) {
  const dressed = root.querySelector("style[data-ph]");
  if (dressed?.textContent === css) return;
  const style = dressed ?? document.createElement("style");
  style.dataset.ph = "";
  style.textContent = css;
  root.prepend(style);
}

export default async function ({ data, parentElement, setStateValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const isLatest = () => turns.get(parentElement) === turn;
  const { mount, css } = await (globalThis[SLOT] ??= Promise.withResolvers()).promise;
  if (!isLatest()) return () => {};
  dress(parentElement, css);
  const instance = mount(parentElement, data, (commit) => setStateValue("commit", commit));
  return () => {
    if (isLatest()) instance.destroy();
  };
}
