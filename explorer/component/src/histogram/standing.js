// @ts-check
// Where one group's line stands and how many units go with it. No document here.

import { countBelow, lineFor } from "./axis.js";

/** @import { Group } from "../types.js" */

export class Standing {
  /** @param {Group} group */
  constructor(group) {
    this.group = group;
    this.n = 0; // units that go
    this.line = group.start;
    this.exact = true; // counted by the server, not read from the curve
    this.locked = false;
    this.floor = 0;
    this.cap = 1;
    this.cost = "";
    /** @type {Uint8Array | null} what pruning it alone costs, share by share */
    this.levels = null;
    this.whole = 0; // points of accuracy that a cost of 1 stands for
    this.placed = false; // the line stands where a hand has put it
  }

  get share() {
    return this.group.n ? this.n / this.group.n : 0;
  }

  get moves() {
    return this.group.movable && !this.locked;
  }

  /**
   * Stand at a value; limits hold.
   * @param {number} value
   */
  moveTo(value) {
    this.line = value;
    this.placed = true;
    this.take(countBelow(this.group, value), true);
  }

  /**
   * Lose a share; limits hold.
   * @param {number} share
   */
  loseShare(share) {
    this.take(Math.round(share * this.group.n), false);
  }

  /** @param {number} n */
  standsFor(n) {
    return this.placed && this.group.exact && countBelow(this.group, this.line) === n;
  }

  /** @param {number} n @param {boolean} byLine whether the line has been put where it should stand */
  take(n, byLine) {
    const least = Math.ceil(this.floor * this.group.n);
    const most = Math.floor(this.cap * this.group.n);
    this.n = Math.min(most, Math.max(least, n));
    if (!byLine || this.n !== n) this.line = lineFor(this.group, this.n);
    this.exact = false;
  }
}
