// Adapter to Streamlit's components v2. The default export runs again with every rerun of the
// script; the function it returns runs when the component leaves the page, or late, after a
// newer call has begun: then there is nothing to clean up.

const turns = new WeakMap(); // parentElement -> number of the latest call

export default function ({ data, parentElement, setStateValue }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const instance = mount(parentElement, data, (commit) => setStateValue("commit", commit));
  return () => {
    if (turns.get(parentElement) === turn) instance.destroy();
  };
}
