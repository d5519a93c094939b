// Adapter to notebooks by anywidget. The model's traits `static`, `strips` and `dynamic` are the
// payload's parts; `commit` takes what the user does.

function render({ model, el }) {
  const payload = () => ({ static: model.get("static"), strips: model.get("strips"), dynamic: model.get("dynamic") });
  const instance = mount(el, payload(), (commit) => {
    model.set("commit", commit);
    model.save_changes();
  });
  const update = () => instance.update(payload());
  const watched = ["static", "strips", "dynamic"].map((trait) => `change:${trait}`);
  for (const name of watched) model.on(name, update);
  return () => {
    for (const name of watched) model.off(name, update);
    instance.destroy();
  };
}

export default { render };
