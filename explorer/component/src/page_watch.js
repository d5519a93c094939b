// @ts-check
// A component without a picture: a page that could not be drawn loads itself again by its link.
//
// When a message cannot be drawn, Streamlit takes the whole page away; when one cannot be read, it
// ends the connection for good. The watch hangs on neither: it belongs to the document. It looks
// twice, since a page may be away for a moment; it does not leave a page whose server is gone, and
// gives up on one that does not come back. While the server does not answer, the page says so: Streamlit
// alone would leave the last numbers there as if they were still moved by a hand.
//
// It also keeps the browser's history to pages. Streamlit adds an entry for every change of the link and then does
// nothing when one goes Back to it: here such a change takes the place of the entry before.

/** @import { StreamlitArguments } from "./types.js" */

import { equipCharts } from "./chart_tools/tools.js";
import { nameMenu, onThemeChange, shareTheme } from "./theme_switch.js";

/** @typedef {{ reloaded: boolean, pages: string[], redraw: () => void, version?: string, news?: HTMLElement }} Watch */
/** @typedef {(data: unknown, unused: string, url?: string | URL | null) => void} SetState */

const CHECK_MS = 1000;
const MOST = 3;
const WITHIN_MS = 120_000;
const TIMES = "pruning-explorer-reloads";
const RELOADED = "pruning-explorer-reloaded";
const AGAIN = "The page could not be drawn and was loaded again; your setting is as it was.";
const GIVEN_UP = "The page could not be drawn. Please load it again.";
const LOST = "The server does not answer. This page connects again by itself; what was measured is kept.";
const NEWER = "The server runs another version since this page was loaded. Please load the page again.";
const BORDER = "1px solid var(--st-border-color, #b9bcc6)";

const page = /** @type {{ pruningExplorerWatch?: Watch }} */ (/** @type {unknown} */ (globalThis));
const watch = (page.pruningExplorerWatch ??= begun());

/** @returns {Watch} */
function begun() {
  const reloaded = stored(RELOADED) === "yes";
  store(RELOADED, "");
  setTimeout(check, CHECK_MS, false);
  setTimeout(tellOfLoss, CHECK_MS, { wasLost: false, wasConnected: false });
  history.pushState = stepFor(history.pushState.bind(history), history.replaceState.bind(history));
  onThemeChange(() => watch.redraw());
  return { reloaded, pages: [], redraw: () => {} };
}

/** @param {SetState} push @param {SetState} replace @returns {SetState} */
function stepFor(push, replace) {
  return (data, unused, url) => {
    const samePage = url !== undefined && url !== null && new URL(url, location.href).pathname === location.pathname;
    (samePage ? replace : push)(data, unused, url);
  };
}

/** @param {boolean} wasGone */
async function check(wasGone) {
  letKeysScroll();
  equipCharts();
  nameMenu();
  shareTheme(watch.pages);
  const gone = isGone();
  if (gone && wasGone && hadEnough()) document.body.append(note(GIVEN_UP));
  else if (gone && wasGone && (await isServed())) reload();
  else setTimeout(check, CHECK_MS, gone);
}

/** @param {{ wasLost: boolean, wasConnected: boolean, said?: HTMLElement }} before */
function tellOfLoss({ wasLost, wasConnected, said }) {
  const state = connectionState();
  const lost = wasConnected && state !== undefined && state !== "CONNECTED";
  if (!lost) said?.remove();
  else if (wasLost && !said) document.body.append((said = note(LOST)));
  const next = { wasLost: lost, wasConnected: wasConnected || state === "CONNECTED" };
  setTimeout(tellOfLoss, CHECK_MS, lost && said ? { ...next, said } : next);
}

/** A chart that is wider than a phone scrolls sideways: with the keyboard, too. */
function letKeysScroll() {
  /** @type {NodeListOf<HTMLElement>} */
  const charts = document.querySelectorAll("[class*='_heat']");
  for (const chart of charts) {
    if (chart.scrollWidth <= chart.clientWidth) continue;
    chart.tabIndex = 0;
    chart.setAttribute("role", "region");
    chart.setAttribute("aria-label", "Heat map, wider than the screen: scroll sideways");
  }
}

function isGone() {
  const state = connectionState();
  return state === undefined || state === "DISCONNECTED_FOREVER";
}

/** What Streamlit says of its connection; undefined where the page is away. */
function connectionState() {
  /** @type {HTMLElement | null} */
  const app = document.querySelector("[data-testid=stApp]");
  return app ? (app.dataset.testConnectionState ?? "") : undefined;
}

async function isServed() {
  try {
    return (await fetch(new URL("_stcore/health", document.baseURI), { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function reload() {
  store(TIMES, JSON.stringify([...recent(), Date.now()]));
  store(RELOADED, "yes");
  location.reload();
}

function hadEnough() {
  return recent().length >= MOST;
}

function recent() {
  /** @type {number[]} */
  const times = JSON.parse(stored(TIMES) || "[]");
  return times.filter((time) => Date.now() - time < WITHIN_MS);
}

/** @param {string} name */
function stored(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    // What is not kept cannot be counted: such a page counts as loaded again often enough.
    return name === TIMES ? JSON.stringify(Array.from({ length: MOST }, Date.now)) : "";
  }
}

/** @param {string} name @param {string} value */
function store(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // see stored()
  }
}

/** @param {string} text */
function note(text) {
  const box = document.createElement("div");
  box.className = "note";
  box.setAttribute("role", "status");
  box.style.cssText = `position: fixed; z-index: 1000; bottom: 1rem; left: 50%; transform: translateX(-50%);
    box-sizing: border-box; width: max-content; max-width: calc(100vw - 2rem); padding: .5rem .5rem .5rem 1rem;
    display: flex; gap: .75rem; align-items: center; font: .875rem var(--st-font, sans-serif); border: ${BORDER};
    color: var(--st-text-color, #1d2129); background: var(--st-secondary-background-color, #f1f2f7);
    border-radius: .5rem; box-shadow: 0 2px 10px rgb(0 0 0 / 15%);`;
  box.append(text, closeButton(box));
  return box;
}

/**
 * After an upgrade the scripts of this page are older than what the server sends.
 * @param {string | undefined} version
 */
function tellOfVersion(version) {
  if (!version) return;
  watch.version ??= version;
  if (watch.version !== version && !watch.news) document.body.append((watch.news = note(NEWER)));
}

/** @param {HTMLElement} box */
function closeButton(box) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Close";
  button.style.cssText = `padding: .25rem .75rem; min-height: 2rem; font: inherit; color: inherit; cursor: pointer;
    background: var(--st-background-color, #fcfcfd); border: ${BORDER}; border-radius: .4rem;`;
  button.addEventListener("click", () => {
    watch.reloaded = false;
    box.remove();
  });
  return button;
}

/** @param {StreamlitArguments<{ pages: string[], version?: string } | undefined>} place */
export default function ({ data, parentElement, setTriggerValue }) {
  watch.pages = data?.pages ?? [];
  tellOfVersion(data?.version);
  watch.redraw = () => {
    shareTheme(watch.pages);
    setTriggerValue("theme", Date.now());
  };
  nameMenu();
  if (watch.reloaded && !parentElement.querySelector(".note")) parentElement.append(note(AGAIN));
}
