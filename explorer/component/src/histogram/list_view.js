// @ts-check
// The rows in order: by block as in the model, or one flat list when sorted.

import { icon, make } from "../elements.js";
import { matches, shortNames, sorted, totals } from "./list.js";
import { percent, plural } from "./text.js";

/** @import { Row } from "./row.js" */
/** @import { Order } from "../types.js" */

class Block {
  /** @param {string} name @param {Row[]} rows */
  constructor(name, rows) {
    this.rows = rows;
    this.open = true;
    this.element = make("section", "ph-block");
    this.body = make("div", "ph-rows");
    this.facts = make("span", "ph-facts");
    if (name) this.element.append(this.header(name));
    this.element.append(this.body);
  }

  /** @param {string} name */
  header(name) {
    const head = make("button", "ph-head");
    head.type = "button";
    head.append(make("span", "ph-title", name), icon("chevron"), this.facts);
    head.addEventListener("click", () => this.toggle(head));
    head.setAttribute("aria-expanded", "true");
    return head;
  }

  /** @param {HTMLElement} head */
  toggle(head) {
    this.open = !this.open;
    head.setAttribute("aria-expanded", String(this.open));
    this.body.hidden = !this.open;
  }

  arrange() {
    const names = shortNames(this.rows.map((row) => row.group));
    this.rows.forEach((row, i) => (row.name.label.textContent = names[i]));
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    this.element.hidden = this.rows.every((row) => row.element.hidden);
  }

  refresh() {
    const { n, share } = totals(this.rows);
    const text = n ? `${plural(n, this.rows[0].group.unit)} · ${percent(share, 0)} pruned` : "not pruned";
    if (this.facts.textContent !== text) this.facts.textContent = text;
  }
}

export class ListView {
  /** @param {Row[]} rows */
  constructor(rows) {
    this.rows = rows;
    this.element = make("div", "ph-list");
    this.empty = make("p", "ph-empty");
    const names = [...new Set(rows.map((row) => row.group.block))];
    this.blocks = names.map((name) => new Block(name, rows.filter((row) => row.group.block === name)));
    this.arrange("", "model");
  }

  /** Rows in the order of the screen that may take the focus. */
  get reachable() {
    const elements = [...this.element.querySelectorAll(".ph-row")];
    const shown = elements.filter((row) => !row.closest("[hidden]"));
    const byElement = new Map(this.rows.map((row) => [/** @type {Element} */ (row.element), row]));
    return shown.flatMap((element) => byElement.get(element) ?? []).filter((row) => row.group.movable);
  }

  /** @param {string} query @param {Order} order */
  arrange(query, order) {
    for (const row of this.rows) row.element.hidden = !matches(row.group, query);
    if (order === "model") this.arrangeBlocks();
    else this.element.replaceChildren(this.flat(order), this.empty);
    this.empty.hidden = this.rows.some((row) => !row.element.hidden);
    this.empty.textContent = this.rows.length
      ? `No layer is called “${query.trim()}”.`
      : "This model has nothing to prune.";
  }

  arrangeBlocks() {
    for (const block of this.blocks) block.arrange();
    this.element.replaceChildren(...this.blocks.map((block) => block.element), this.empty);
  }

  /** @param {Exclude<Order, "model">} order */
  flat(order) {
    const body = make("div", "ph-rows");
    for (const row of this.rows) row.name.label.textContent = row.group.name;
    body.append(...sorted(this.rows, order).map((row) => row.element));
    return body;
  }

  refresh() {
    for (const block of this.blocks) block.refresh();
  }
}
