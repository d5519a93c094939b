// @ts-check
// Every chart of a page can be taken away, as a picture or as a table, and fill the screen: its tools appear with the
// pointer or the keyboard's focus on it.

import { icon, make } from "../elements.js";
import { pngOf, save, svgOf } from "./picture.js";
import { csvOf } from "./table.js";

/** @import { Trace } from "./table.js" */
/** @typedef {HTMLElement & { data?: Trace[], _fullData?: Trace[] }} Graph */

const CHART = "[data-testid=stPlotlyChart]";
const FULL = ".modebar-btn[data-title*=ullscreen]";

/** Give tools to the charts that have none yet; one that shows no data has nothing to take away. */
export function equipCharts() {
  for (const chart of document.querySelectorAll(CHART)) {
    const graph = graphOf(chart);
    const tools = chart.querySelector(":scope > .chart-tools") ?? chart.appendChild(toolsOf(chart));
    tools.toggleAttribute("hidden", !graph?.data?.length);
  }
}

/** @param {Element} chart @returns {Graph | null} */
function graphOf(chart) {
  return chart.querySelector(".js-plotly-plot");
}

/** @param {Element} chart */
function toolsOf(chart) {
  const tools = make("div", "chart-tools");
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "This chart");
  /** @type {[string, string, (graph: Graph) => void | Promise<void>][]} */
  const buttons = [
    ["PNG", "PNG: save this chart as a picture of pixels", async (graph) => save(await pngOf(graph), fileName(chart, "png"))],
    ["SVG", "SVG: save this chart as a picture of lines", (graph) => save(vector(graph), fileName(chart, "svg"))],
    ["CSV", "CSV: save what this chart shows as a table", (graph) => save(table(graph), fileName(chart, "csv"))],
    ["", "Show this chart on the full screen, or as before", () => chart.querySelector(FULL)?.dispatchEvent(click())],
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

const click = () => new MouseEvent("click", { bubbles: true });

/** @param {Graph} graph */
const vector = (graph) => new Blob([svgOf(graph).text], { type: "image/svg+xml" });

/** @param {Graph} graph */
const table = (graph) => new Blob([csvOf(graph._fullData ?? graph.data ?? [])], { type: "text/csv" });

/** "pruning-explorer-signed.png": the page's own name of the chart. @param {Element} chart @param {string} ending */
function fileName(chart, ending) {
  const holder = chart.closest("[class*='st-key-']");
  const key = /st-key-([\w-]+)/.exec(holder?.className ?? "")?.[1] ?? "chart";
  return `pruning-explorer-${key}.${ending}`;
}
