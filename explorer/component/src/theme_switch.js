// @ts-check
// Streamlit's own switch between light and dark, made whole: it stores the choice for one page, and redraws only
// what is its own. Here the choice is stored for every page, and the app is drawn again in the other colours.

const BUTTON = "[data-testid=stMainMenuButton]";
const CHOICES = "[data-testid^=stMainMenuItem-theme-]";
const NAME = "Theme: light, dark or as the system; print";
const SETTLE_MS = 60;
const LONGEST_MS = 2000;

/** @param {string} path */
const keyOf = (path) => `stActiveTheme-${path}-v2`;

// Streamlit reads the choice of the page that was loaded, and writes it there.
const loaded = location.pathname;
const folder = loaded.slice(0, loaded.lastIndexOf("/") + 1);

/** What each page reads when it is loaded next. @param {string[]} pages */
export function shareTheme(pages) {
  try {
    const choice = localStorage.getItem(keyOf(loaded));
    if (choice === null) return;
    for (const page of pages) localStorage.setItem(keyOf(folder + page), choice);
  } catch {
    // A browser that stores nothing follows the system.
  }
}

/** A word beside the three dots, and what it opens, for whoever hears the page. */
export function nameMenu() {
  const button = document.querySelector(BUTTON);
  if (button && button.getAttribute("aria-label") !== NAME) button.setAttribute("aria-label", NAME);
}

/** Call back once the page has taken the colours of the other theme, by a choice or since the system changed. @param {() => void} changed */
export function onThemeChange(changed) {
  /** @param {number} since @param {string} before */
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
