// @ts-check
// Moves of lines: what the rows show at once and what the server is told.

/** @import { Row } from "./row.js" */
/** @import { Board } from "../types.js" */

/**
 * A number as short as it can be told without moving a line.
 * @param {number} value
 */
export function shortened(value) {
  return Number(value.toPrecision(9));
}

export class Moves {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
  }

  /**
   * The rows whose thresholds move with this one.
   * @param {Row} row
   * @returns {Row[]}
   */
  followers(row) {
    const { mode, rows } = this.board;
    return mode === "alone" ? [] : rows.filter((other) => other !== row && other.moves);
  }

  /** @param {Row} row @param {number} value */
  show(row, value) {
    row.moveTo(value);
    const { share } = row;
    for (const other of this.followers(row)) {
      if (this.board.mode === "together") other.moveTo(value);
      else other.loseShare(share);
    }
    this.board.refresh();
  }

  /** @param {Row} row @param {number} value @param {boolean} final */
  commit(row, value, final) {
    const { commits, mode } = this.board;
    const move = { group: row.group.name, mode, final };
    if (mode === "share") commits.push({ kind: "share", value: row.share, ...move });
    else commits.push({ kind: "threshold", value, ...move });
  }

  /**
   * By keyboard a share is meant, in whole units: no unit is skipped and none is half gone.
   * @param {Row} row
   * @param {number} n
   * @param {boolean} final
   */
  setCount(row, n, final) {
    row.take(Math.min(row.group.n, Math.max(0, n)), false);
    const { commits, mode } = this.board;
    if (mode === "together") {
      const value = shortened(row.line);
      this.show(row, value);
      this.commit(row, value, final);
      return;
    }
    for (const other of this.followers(row)) other.loseShare(row.share);
    this.board.refresh();
    commits.push({ kind: "share", group: row.group.name, value: row.share, mode, final });
  }

  /** @param {Row} row */
  reset(row) {
    for (const each of [row, ...this.followers(row)]) each.take(0, false);
    this.board.refresh();
    this.board.commits.push({ kind: "reset", group: row.group.name, mode: this.board.mode, final: true });
  }
}
