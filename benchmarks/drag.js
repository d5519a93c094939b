// Watches the page from inside: when a hand moved, when the readout and the facts changed, and
// when the frame that shows it was made. All times are of this page's own clock.
{
  const roots = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean);
  const histogram = roots.find((root) => root.querySelector(".ph-total"));
  const watch = { moves: [], facts: [], released: 0 };
  let movedAt = 0;

  const state = () => {
    const cells = [...document.querySelectorAll(".facts > div")];
    return {
      accuracy: cells[0]?.querySelector(".value")?.textContent ?? "",
      removed: cells[2]?.querySelector(".note")?.textContent ?? "",
      stale: Boolean(document.querySelector(".facts .stale")),
      partial: Boolean(document.querySelector(".facts .bar")),
    };
  };
  const onScreen = (done) => requestAnimationFrame(() => setTimeout(() => done(performance.now())));

  let last = JSON.stringify(state());
  new MutationObserver(() => {
    const now = state();
    const text = JSON.stringify(now);
    if (text === last) return;
    last = text;
    onScreen((at) => watch.facts.push({ ...now, at }));
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });

  // Capturing, on the window: before the histogram's own listener. Its mutations are delivered
  // right after that listener, and before anything is painted.
  window.addEventListener("pointermove", () => (movedAt = performance.now()), true);
  window.addEventListener(
    "pointerup",
    () => {
      watch.released = performance.now();
      watch.facts = [];
    },
    true,
  );
  new MutationObserver(() => {
    if (!movedAt) return;
    watch.moves.push(performance.now() - movedAt);
    movedAt = 0;
  }).observe(histogram.querySelector(".ph-total"), { subtree: true, childList: true, characterData: true });
  window.dragWatch = watch;
}
