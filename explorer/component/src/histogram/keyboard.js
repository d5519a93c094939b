// @ts-check
// What keys do: they move the line in focus, go from row to row, lock, and step back.

import { elementOf } from "./events.js";

/** @import { Moves } from "./moves.js" */
/** @import { Row } from "./row.js" */
/** @import { Board } from "../types.js" */

/** @type {Record<string, 1 | -1>} with Ctrl: alone, all four arrows move the line, as those of every slider do */
const TO_NEIGHBOUR = { ArrowDown: 1, ArrowUp: -1 };

export class Keyboard {
  /** @param {Board} board @param {Moves} moves */
  constructor(board, moves) {
    this.board = board;
    this.moves = moves;
    /** @type {Row | null} the row that a held-down key is moving */
    this.keyed = null;
    /** @type {Row | null} the row that the Tab key finds */
    this.current = null;
  }

  listen() {
    const { host, place } = this.board;
    place.addEventListener("keydown", (event) => this.onKey(event));
    place.addEventListener("keyup", () => this.onKeyUp());
    place.addEventListener("focusin", (event) => this.focus(this.board.rowOf(event)));
    host.addEventListener("keydown", (event) => this.onShortcut(event));
  }

  /** @param {Row | undefined} row */
  focus(row) {
    if (!row || row === this.current || !row.group.movable) return;
    this.current?.rove(false);
    this.current = row;
    row.rove(true);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const row = this.board.rowOf(event);
    if (!row || event.target !== row.thumb || event.metaKey || event.altKey) return;
    if (!(event.ctrlKey ? this.toNeighbour(row, event) : this.act(row, event))) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  act(row, event) {
    if (event.key.toLowerCase() !== "l") return this.stepLine(row, event);
    this.board.setLock(row);
    return true;
  }

  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  stepLine(row, event) {
    const n = target(row, event);
    if (n === undefined) return false;
    if (!row.moves) return true;
    this.moves.setCount(row, n, !event.repeat);
    this.keyed = event.repeat ? row : null;
    return true;
  }

  onKeyUp() {
    if (this.keyed) this.moves.setCount(this.keyed, this.keyed.n, true);
    this.keyed = null;
  }

  /** @param {Row} row @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  toNeighbour(row, event) {
    const jump = TO_NEIGHBOUR[event.key];
    if (!jump) return false;
    const rows = this.board.list.reachable;
    const next = rows[rows.indexOf(row) + jump];
    next?.thumb.focus();
    next?.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** @param {KeyboardEvent} event */
  onShortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || elementOf(event)?.tagName === "INPUT") return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    event.stopPropagation();
    const { redo, undo } = this.board.toolbar;
    (key === "y" || event.shiftKey ? redo : undo).click();
  }
}

/**
 * How many units should go after a key; undefined for other keys.
 * @param {Row} row
 * @param {KeyboardEvent} event
 * @returns {number | undefined}
 */
function target(row, event) {
  const { n } = row.group;
  const step = (/** @type {number} */ share) => Math.max(1, Math.round(share * n));
  const by = event.shiftKey ? 0.001 : 0.01;
  /** @type {Record<string, number>} */
  const targets = {
    ArrowRight: row.n + step(by),
    ArrowUp: row.n + step(by),
    ArrowLeft: row.n - step(by),
    ArrowDown: row.n - step(by),
    PageUp: row.n + step(0.1),
    PageDown: row.n - step(0.1),
    Home: 0,
    End: n,
  };
  return Object.hasOwn(targets, event.key) ? targets[event.key] : undefined;
}
