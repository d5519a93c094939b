// @ts-check
// Which rows are on the screen and how large a plot is: only those are drawn.

/** @import { Row } from "./row.js" */
/** @import { Scale } from "../types.js" */

const AHEAD = "160px"; // rows this near are drawn, too

export class Sight {
  /** @param {HTMLElement} host @param {() => { rows: Row[], scale: Scale }} shown */
  constructor(host, shown) {
    this.shown = shown;
    this.width = 0;
    this.height = 0;
    this.seer = new IntersectionObserver((entries) => this.onSight(entries), { rootMargin: AHEAD });
    this.sizer = new ResizeObserver(() => this.measure());
    this.sizer.observe(host);
  }

  /**
   * Other rows than before.
   * @param {Row[]} rows
   */
  watch(rows) {
    this.width = 0;
    this.seer.disconnect();
    for (const row of rows) {
      row.element.dataset.index = String(row.index);
      this.seer.observe(row.element);
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  onSight(entries) {
    const { rows } = this.shown();
    for (const entry of entries) {
      const row = rows[Number(/** @type {HTMLElement} */ (entry.target).dataset.index)];
      if (!row) continue;
      row.visible = entry.isIntersecting;
      if (row.visible) this.draw(row);
    }
  }

  measure() {
    const measured = this.shown().rows.find((row) => row.group.movable && row.area.clientWidth > 0);
    const width = measured ? measured.area.clientWidth : 0;
    if (!measured || width === this.width) return;
    this.width = width;
    this.height = measured.area.clientHeight;
    this.drawVisible();
  }

  /** @param {Row} row */
  draw(row) {
    const { scale } = this.shown();
    if (!this.width) this.measure();
    row.draw(scale, this.width, this.height);
    row.refresh(scale);
  }

  drawVisible() {
    for (const row of this.shown().rows) if (row.visible) this.draw(row);
  }

  stop() {
    this.seer.disconnect();
    this.sizer.disconnect();
  }
}
