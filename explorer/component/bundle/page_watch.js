// Made from src/ by "make component": change it there. Sources: b1f46f9e19dab435

// theme_switch.js
var BUTTON = "[data-testid=stMainMenuButton]";
var CHOICES = "[data-testid^=stMainMenuItem-theme-]";
var NAME = "Theme: light, dark or as the system; print";
var SETTLE_MS = 60;
var LONGEST_MS = 2e3;
var keyOf = (path) => `stActiveTheme-${path}-v2`;
var loaded = location.pathname;
var folder = loaded.slice(0, loaded.lastIndexOf("/") + 1);
function shareTheme(pages) {
  try {
    const choice = localStorage.getItem(keyOf(loaded));
    if (choice === null) return;
    for (const page2 of pages) localStorage.setItem(keyOf(folder + page2), choice);
  } catch {
  }
}
function nameMenu() {
  const button = document.querySelector(BUTTON);
  if (button && button.getAttribute("aria-label") !== NAME) button.setAttribute("aria-label", NAME);
}
function onThemeChange(changed) {
  const wait = (since, before) => {
    if (ground() !== before) changed();
    else if (performance.now() - since < LONGEST_MS) setTimeout(wait, SETTLE_MS, since, before);
  };
  const begin = () => wait(performance.now(), ground());
  addEventListener("click", (event) => event.target instanceof Element && event.target.closest(CHOICES) && begin(), true);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", begin);
}
function ground() {
  const app = document.querySelector("[data-testid=stApp]");
  return app ? getComputedStyle(app).backgroundColor : "";
}

// page_watch.js
var CHECK_MS = 1e3;
var MOST = 3;
var WITHIN_MS = 12e4;
var TIMES = "pruning-explorer-reloads";
var RELOADED = "pruning-explorer-reloaded";
var AGAIN = "The page could not be drawn and was loaded again; your setting is as it was.";
var GIVEN_UP = "The page could not be drawn. Please load it again.";
var LOST = "The server does not answer. This page connects again by itself; what was measured is kept.";
var BORDER = "1px solid var(--st-border-color, #b9bcc6)";
var page = (
  /** @type {{ pruningExplorerWatch?: Watch }} */
  /** @type {unknown} */
  globalThis
);
var watch = page.pruningExplorerWatch ??= begun();
function begun() {
  const reloaded = stored(RELOADED) === "yes";
  store(RELOADED, "");
  setTimeout(check, CHECK_MS, false);
  setTimeout(tellOfLoss, CHECK_MS, { wasLost: false, wasConnected: false });
  history.pushState = stepFor(history.pushState.bind(history), history.replaceState.bind(history));
  onThemeChange(() => watch.redraw());
  return { reloaded, pages: [], redraw: () => {
  } };
}
function stepFor(push, replace) {
  return (data, unused, url) => {
    const samePage = url !== void 0 && url !== null && new URL(url, location.href).pathname === location.pathname;
    (samePage ? replace : push)(data, unused, url);
  };
}
async function check(wasGone) {
  letKeysScroll();
  nameMenu();
  shareTheme(watch.pages);
  const gone = isGone();
  if (gone && wasGone && hadEnough()) document.body.append(note(GIVEN_UP));
  else if (gone && wasGone && await isServed()) reload();
  else setTimeout(check, CHECK_MS, gone);
}
function tellOfLoss({ wasLost, wasConnected, said }) {
  const state = connectionState();
  const lost = wasConnected && state !== void 0 && state !== "CONNECTED";
  if (!lost) said?.remove();
  else if (wasLost && !said) document.body.append(said = note(LOST));
  const next = { wasLost: lost, wasConnected: wasConnected || state === "CONNECTED" };
  setTimeout(tellOfLoss, CHECK_MS, lost && said ? { ...next, said } : next);
}
function letKeysScroll() {
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
  return state === void 0 || state === "DISCONNECTED_FOREVER";
}
function connectionState() {
  const app = document.querySelector("[data-testid=stApp]");
  return app ? app.dataset.testConnectionState ?? "" : void 0;
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
  const times = JSON.parse(stored(TIMES) || "[]");
  return times.filter((time) => Date.now() - time < WITHIN_MS);
}
function stored(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return name === TIMES ? JSON.stringify(Array.from({ length: MOST }, Date.now)) : "";
  }
}
function store(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
  }
}
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
function page_watch_default({ data, parentElement, setTriggerValue }) {
  watch.pages = data?.pages ?? [];
  watch.redraw = () => {
    shareTheme(watch.pages);
    setTriggerValue("theme", Date.now());
  };
  nameMenu();
  if (watch.reloaded && !parentElement.querySelector(".note")) parentElement.append(note(AGAIN));
}
export {
  page_watch_default as default
};
