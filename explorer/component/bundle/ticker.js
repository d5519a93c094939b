// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// ticker.js
var RETRY_MS = 1500;
var POLL_MS = 20;
var MOMENT_MS = 100;
var LEAVING_MS = 1e4;
var ending = /* @__PURE__ */ new WeakMap();
var page = (
  /** @type {{ pruningExplorerHand?: Hand }} */
  /** @type {unknown} */
  globalThis
);
var hand = page.pruningExplorerHand ??= watched();
function watched() {
  const watching = { until: 0, leaving: null };
  addEventListener("click", (event) => note(watching, event), true);
  return watching;
}
function note(watching, event) {
  const path = event.composedPath().filter((node) => node instanceof Element);
  if (path.some((element) => element.classList.contains("ph-row"))) return;
  const link = path.find((element) => element instanceof HTMLAnchorElement && element.href !== "");
  if (link instanceof HTMLAnchorElement && leaves(link, event)) {
    watching.leaving = { from: location.pathname, until: performance.now() + LEAVING_MS };
  }
  watching.until = performance.now() + MOMENT_MS;
}
function leaves(link, event) {
  return link.pathname !== location.pathname && !event.ctrlKey && !event.metaKey && !event.shiftKey;
}
function busy() {
  const now = performance.now();
  const leaving = hand.leaving?.from === location.pathname && now < hand.leaving.until;
  const app = document.querySelector("[data-test-script-state]");
  return leaving || now < hand.until || app?.dataset.testScriptState === "running";
}
function ticker_default({ data, parentElement, setTriggerValue }) {
  ending.get(parentElement)?.();
  let timer;
  const tick = () => {
    const waits = busy();
    if (!waits) setTriggerValue("tick", data.turn);
    timer = setTimeout(tick, waits ? POLL_MS : RETRY_MS);
  };
  timer = setTimeout(tick, data.after_ms);
  const end = () => clearTimeout(timer);
  ending.set(parentElement, end);
  return end;
}
export {
  ticker_default as default
};
