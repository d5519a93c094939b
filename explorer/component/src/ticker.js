// @ts-check
// A component without a picture that reruns its fragment while work is pending.
//
// The timer starts when the page has drawn the last answer: a slow browser is never flooded. Of two
// ticks in the same millisecond the server may lose one, so a tick without an answer is repeated.
// The clean-up of an older call may come after the newer one began: it ends its own timers only.
// A tick keeps out of the visitor's way. It waits while a run is under way and for a moment after a
// click, but for one that ends a drag: the lines tell the server themselves, and the answer is
// awaited. After a click on a link to another page it waits for that page: the tick of a page that
// is being left would bring it back, without anything on it.

/** @import { StreamlitArguments } from "./types.js" */

/** @typedef {{ until: number, leaving: { from: string, until: number } | null }} Hand */

const RETRY_MS = 1500;
const POLL_MS = 20;
const MOMENT_MS = 100;
const LEAVING_MS = 10000;

/** @type {WeakMap<Node, () => void>} */
const ending = new WeakMap();
const page = /** @type {{ pruningExplorerHand?: Hand }} */ (/** @type {unknown} */ (globalThis));
const hand = (page.pruningExplorerHand ??= watched());

function watched() {
  /** @type {Hand} */
  const watching = { until: 0, leaving: null };
  addEventListener("click", (event) => note(watching, event), true);
  return watching;
}

/** @param {Hand} watching @param {MouseEvent} event */
function note(watching, event) {
  const path = event.composedPath().filter((node) => node instanceof Element);
  if (path.some((element) => element.classList.contains("ph-row"))) return;
  const link = path.find((element) => element instanceof HTMLAnchorElement && element.href !== "");
  if (link instanceof HTMLAnchorElement && leaves(link, event)) {
    watching.leaving = { from: location.pathname, until: performance.now() + LEAVING_MS };
  }
  watching.until = performance.now() + MOMENT_MS;
}

/** @param {HTMLAnchorElement} link @param {MouseEvent} event */
function leaves(link, event) {
  return link.pathname !== location.pathname && !event.ctrlKey && !event.metaKey && !event.shiftKey;
}

function busy() {
  const now = performance.now();
  const leaving = hand.leaving?.from === location.pathname && now < hand.leaving.until;
  /** @type {HTMLElement | null} */
  const app = document.querySelector("[data-test-script-state]");
  return leaving || now < hand.until || app?.dataset.testScriptState === "running";
}

/** @param {StreamlitArguments<{ turn: number, after_ms: number }>} place */
export default function ({ data, parentElement, setTriggerValue }) {
  ending.get(parentElement)?.();
  /** @type {ReturnType<typeof setTimeout>} */
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
