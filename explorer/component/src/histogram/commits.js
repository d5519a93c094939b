// @ts-check
// Moves on their way to the server. None is lost and none crowds it out: while one is unanswered
// the newest position of a drag replaces the one before it; a release goes at once.

/** @import { DragEvent, Move } from "../types.js" */

export const COMMIT_GAP = 80; // ms between two commits of one drag
export const PATIENCE = 3000; // ms after which an answer is no longer waited for

let lastSeq = Date.now(); // rises over reloads too

export class Commits {
  /**
   * @param {(events: DragEvent[]) => void} send
   * @param {() => number} [now] milliseconds
   */
  constructor(send, now = () => performance.now()) {
    this.send = send;
    this.now = now;
    /** @type {{ sent: boolean, event: DragEvent }[]} */
    this.queue = [];
    this.sentAt = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Move} move */
  push(move) {
    const tail = this.queue.at(-1);
    const replaces = tail && !tail.sent && !tail.event.final && tail.event.kind === move.kind;
    if (replaces && tail.event.group === move.group) this.queue.pop();
    lastSeq += 1;
    this.queue.push({ sent: false, event: { ...move, seq: lastSeq } });
    this.pump();
  }

  /**
   * The server has dealt with everything up to `seq`.
   * @param {number} seq
   */
  acknowledge(seq) {
    const before = this.queue.length;
    this.queue = this.queue.filter((entry) => entry.event.seq > seq);
    if (this.queue.length !== before) this.pump();
  }

  get idle() {
    return this.queue.length === 0;
  }

  /** Every move not yet answered, oldest first. */
  get unanswered() {
    return this.queue.map((entry) => entry.event);
  }

  pump() {
    clearTimeout(this.timer);
    const unsent = this.queue.filter((entry) => !entry.sent);
    if (!unsent.length) return;
    const since = this.now() - this.sentAt;
    const waiting = this.queue.some((entry) => entry.sent);
    const urgent = unsent.some((entry) => entry.event.final);
    const wait = urgent ? 0 : (waiting ? PATIENCE : COMMIT_GAP) - since;
    if (wait > 0) this.timer = setTimeout(() => this.pump(), wait);
    else this.flush();
  }

  flush() {
    for (const entry of this.queue) entry.sent = true;
    this.sentAt = this.now();
    this.send(this.unanswered);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
