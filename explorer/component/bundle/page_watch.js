// Made from src/ by "make component": change it there. Sources: 3c94510431259726

// elements.js
var SVG = "http://www.w3.org/2000/svg";
var ICONS = {
  locked: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z",
  open: "M4.5 7V5a3.5 3.5 0 0 1 6.6-1.6M3.5 7h9v6.5h-9z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  undo: "M6 3.5 3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  chevron: "M5.5 6.5 8 9l2.5-2.5"
};
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== void 0) element.textContent = text;
  return element;
}
function makeSvg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== void 0) element.textContent = text;
  return element;
}
function icon(name) {
  const svg = makeSvg("svg", { viewBox: "0 0 16 16", class: "ph-icon", "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: ICONS[name] }));
  return svg;
}

// chart_tools/picture.js
var PASSING = ".hoverlayer, .zoomlayer, .selectionlayer, .draglayer, .dragcover";
var SHARP = 2;
function svgOf(chart) {
  const papers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = papers[0].getBoundingClientRect();
  const svg = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.setAttribute("xmlns", SVG);
  svg.append(makeSvg("rect", { width, height, fill: groundOf(chart) }));
  for (const paper of papers) {
    const layer = makeSvg("g");
    layer.append(...[...paper.childNodes].map((node) => node.cloneNode(true)));
    holdWidths(paper, layer);
    for (const passing of layer.querySelectorAll(PASSING)) passing.remove();
    svg.append(layer);
  }
  for (const element of svg.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (value.includes("url(")) element.setAttribute(name, value.replaceAll(/url\(["']?[^"')]*#([^"')]*)["']?\)/g, "url(#$1)"));
    }
  }
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}
function holdWidths(from, to) {
  const copies = to.querySelectorAll("text, tspan");
  for (const [i, text] of [...from.querySelectorAll("text, tspan")].entries()) {
    const length = (
      /** @type {SVGTextContentElement} */
      text.getComputedTextLength()
    );
    if (text.querySelector("tspan") || !length) continue;
    copies[i].setAttribute("textLength", String(length));
    copies[i].setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}
async function pngOf(chart) {
  const { text, width, height } = svgOf(chart);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas");
  canvas.width = Math.round(width * SHARP);
  canvas.height = Math.round(height * SHARP);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, refuse) => canvas.toBlob((blob) => blob ? done(blob) : refuse(new Error("no picture"))));
}
function save(content, name) {
  const link = make("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e3);
}
function groundOf(chart) {
  let place2 = chart;
  while (place2) {
    const colour = getComputedStyle(place2).backgroundColor;
    if (colour !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour)) return colour;
    place2 = place2.parentElement;
  }
  return "white";
}

// chart_tools/table.js
var COLUMNS = ["series", "x", "y", "value", "x_minus", "x_plus", "y_minus", "y_plus", "words"];
function csvOf(traces) {
  const rows = traces.filter((trace) => trace.hoverinfo !== "skip").flatMap(rowsOf);
  const columns = COLUMNS.filter((column) => rows.some((row) => row[column] !== void 0 && row[column] !== ""));
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(","));
  return `${[columns.join(","), ...lines].join("\n")}
`;
}
function rowsOf(trace) {
  const series = plain(trace.name ?? "");
  if (trace.z !== void 0) return cellsOf(trace, series);
  const length = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
  return Array.from({ length }, (_, i) => ({
    series,
    x: place(trace.x, i),
    y: place(trace.y, i),
    x_minus: at(trace.error_x?.arrayminus, i),
    x_plus: at(trace.error_x?.array, i),
    y_minus: at(trace.error_y?.arrayminus, i),
    y_plus: at(trace.error_y?.array, i),
    words: words(trace.hovertext, i)
  }));
}
var at = (values, i) => values?.[i];
var place = (values, i) => values === void 0 ? i : values[i];
function cellsOf(trace, series) {
  const rows = Array.from(
    /** @type {ArrayLike<List>} */
    trace.z ?? []
  );
  return rows.flatMap(
    (row, i) => Array.from(row, (value, j) => ({
      series,
      x: place(trace.x, j),
      y: place(trace.y, i),
      value,
      words: words(
        /** @type {List | undefined} */
        trace.customdata?.[i],
        j
      )
    })).filter(({ value }) => value !== null && value !== void 0 && !Number.isNaN(value))
  );
}
function words(texts, i) {
  if (typeof texts === "string") return plain(texts);
  const text = (
    /** @type {List | undefined} */
    texts?.[i]
  );
  return typeof text === "string" ? plain(text) : "";
}
function plain(text) {
  const bare = text.replaceAll(/<br\s*\/?>/g, ", ").replaceAll(/<[^>]*>/g, "");
  return bare.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&").trim();
}
function cell(value) {
  if (value === void 0 || value === null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const line = String(value).replaceAll(/\s+/g, " ");
  const safe = /^[=+\-@]/.test(line) && Number.isNaN(Number(line)) ? `'${line}` : line;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// chart_tools/tools.js
var CHART = "[data-testid=stPlotlyChart]";
var FULL = ".modebar-btn[data-title*=ullscreen]";
function equipCharts() {
  for (const chart of document.querySelectorAll(CHART)) {
    const graph = graphOf(chart);
    const tools = chart.querySelector(":scope > .chart-tools") ?? chart.appendChild(toolsOf(chart));
    tools.toggleAttribute("hidden", !graph?.data?.length);
  }
}
function graphOf(chart) {
  return chart.querySelector(".js-plotly-plot");
}
function toolsOf(chart) {
  const tools = make("div", "chart-tools");
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "This chart");
  const buttons = [
    ["PNG", "PNG: save this chart as a picture of pixels", async (graph) => save(await pngOf(graph), fileName(chart, "png"))],
    ["SVG", "SVG: save this chart as a picture of lines", (graph) => save(vector(graph), fileName(chart, "svg"))],
    ["CSV", "CSV: save what this chart shows as a table", (graph) => save(table(graph), fileName(chart, "csv"))],
    ["", "Show this chart on the full screen, or as before", () => chart.querySelector(FULL)?.dispatchEvent(click())]
  ];
  for (const [text, label, act] of buttons) {
    const button = make("button", "", text);
    button.type = "button";
    if (!text) button.append(icon("full"));
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => {
      const graph = graphOf(chart);
      if (graph) void act(graph);
    });
    tools.append(button);
  }
  return tools;
}
var click = () => new MouseEvent("click", { bubbles: true });
var vector = (graph) => new Blob([svgOf(graph).text], { type: "image/svg+xml" });
var table = (graph) => new Blob([csvOf(graph._fullData ?? graph.data ?? [])], { type: "text/csv" });
function fileName(chart, ending) {
  const holder = chart.closest("[class*='st-key-']");
  const key = /st-key-([\w-]+)/.exec(holder?.className ?? "")?.[1] ?? "chart";
  return `pruning-explorer-${key}.${ending}`;
}

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
var NEWER = "The server runs another version since this page was loaded. Please load the page again.";
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
  equipCharts();
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
function tellOfVersion(version) {
  if (!version) return;
  watch.version ??= version;
  if (watch.version !== version && !watch.news) document.body.append(watch.news = note(NEWER));
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
  tellOfVersion(data?.version);
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
