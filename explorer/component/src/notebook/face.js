// @ts-check
// What stands around the histograms in a notebook: controls, facts, the chart and the warnings.

import histogramCss from "../histogram/histogram.css";
import { make } from "../elements.js";
import { drawChart } from "./chart.js";
import css from "./face.css";

/** @import { Around, Chart, Choice, Fact, Offer } from "../types.js" */

export class Face {
  /** @param {HTMLElement} place @param {((choice: Choice) => void) | null} choose none: it is a saved page */
  constructor(place, choose) {
    this.choose = choose;
    this.host = make("section", "pe");
    this.host.setAttribute("aria-label", "Pruning explorer");
    this.head = make("div", "pe-head");
    this.facts = make("div", "pe-facts");
    this.facts.setAttribute("role", "status");
    this.lines = make("div", "pe-lines");
    this.chart = make("div", "pe-chart");
    this.keys = make("p", "pe-keys");
    this.warnings = make("ul", "pe-warnings");
    const right = make("div", "pe-right");
    right.append(this.chart, this.keys, make("h4", "pe-title", "Warnings"), this.warnings);
    const body = make("div", "pe-body");
    body.append(this.lines, right);
    this.host.append(make("style", "", `${histogramCss}\n${css}`), this.head, this.facts, body);
    this.offers = "";
    /** @type {Map<string, HTMLSelectElement>} */
    this.selects = new Map();
    place.append(this.host);
  }

  /** @param {Around} around */
  show(around) {
    if (!around.facts) return; // nothing has come yet
    this.facts.replaceChildren(...around.facts.map(factElement));
    this.showOffers(around);
    const sentences = [...around.refusals.map((what) => ({ level: "fail", what, action: "" })), ...around.warnings];
    const none = { level: "ok", what: "No layer is empty, no channel is dead.", action: "" };
    this.warnings.replaceChildren(...(sentences.length ? sentences : [none]).map(warningElement));
  }

  /** A list that is open or has the focus is not made anew where only its choice is another. @param {Around} around */
  showOffers(around) {
    for (const { kind, present } of around.offers) {
      const select = this.selects.get(kind);
      if (select && present !== null) select.value = present;
    }
    const drawn = JSON.stringify([around.model, around.offers.map((offer) => offer.choices)]);
    if (drawn === this.offers) return;
    this.offers = drawn;
    this.head.replaceChildren(make("strong", "pe-model", around.model), make("span", "pe-data", around.data));
    if (this.choose) this.head.append(...around.offers.map((offer) => this.offerElement(offer)));
  }

  /** @param {Offer} offer */
  offerElement(offer) {
    return offer.present === null ? this.buttons(offer) : this.select(offer);
  }

  /** @param {Offer} offer */
  select(offer) {
    const select = make("select", "pe-select");
    select.setAttribute("aria-label", offer.label);
    select.append(...offer.choices.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    select.value = offer.present ?? "";
    this.selects.set(offer.kind, select);
    select.addEventListener("change", () => this.choose?.({ kind: offer.kind, value: select.value }));
    return select;
  }

  /** @param {Offer} offer */
  buttons(offer) {
    const group = make("span", "pe-buttons");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", offer.label);
    for (const [value, text] of offer.choices) {
      const button = make("button", "pe-button", text);
      button.type = "button";
      button.addEventListener("click", () => this.choose?.({ kind: offer.kind, value }));
      group.append(button);
    }
    return group;
  }

  /** @param {Chart} chart */
  showChart(chart) {
    if (!chart.series) return;
    this.chart.replaceChildren(drawChart(chart));
    this.keys.replaceChildren(...chart.series.map((series) => make("span", `pe-key pe-${series.kind}`, series.label)));
  }

  /** A line was moved where nothing measures: the measured numbers are of another setting. @param {string} why */
  outdate(why) {
    if (this.host.classList.contains("pe-outdated")) return;
    this.host.classList.add("pe-outdated");
    this.facts.before(make("p", "pe-why", why));
  }

  destroy() {
    this.host.remove();
  }
}

/** @param {Fact} fact */
function factElement(fact) {
  const element = make("div", "pe-fact");
  const name = make("div", "pe-name", fact.name);
  if (fact.origin) name.append(make("span", "pe-origin", fact.origin));
  const value = make("span", `pe-value pe-${fact.tone || "plain"}`, fact.value);
  const line = make("div");
  line.append(value, " ", make("span", "pe-note", fact.note));
  element.append(name, line);
  if (fact.progress !== null) {
    const bar = make("div", "pe-bar");
    bar.style.width = `${Math.round(100 * fact.progress)}%`;
    element.append(bar);
  }
  return element;
}

/** @param {{ level: string, what: string, action: string }} warning */
function warningElement(warning) {
  const item = make("li", `pe-${warning.level}`, warning.what);
  if (warning.action) item.append(" ", make("span", "pe-note", warning.action));
  return item;
}
