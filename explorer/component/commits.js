// Moves on their way to the server. None is lost and none crowds it out: while one is unanswered
// the newest position of a drag replaces the one before it; a release goes at once.

const COMMIT_GAP = 80; // ms between two commits of one drag
const PATIENCE = 3000; // ms after which an answer is no longer waited for

let lastSeq = Date.now(); // rises over reloads too

class Commits {
  constructor(send) {
    this.send = send;
    this.queue = [];
    this.sentAt = -Infinity;
    this.timer = 0;
  }

  push(event) {
    const tail = this.queue.at(-1);
    const replaces = tail && !tail.sent && !tail.event.final && tail.event.kind === event.kind;
    if (replaces && tail.event.knob === event.knob) this.queue.pop();
    lastSeq += 1;
    this.queue.push({ sent: false, event: { ...event, seq: lastSeq } });
    this.pump();
  }

  /** The server has dealt with everything up to `seq`. */
  acknowledge(seq) {
    const before = this.queue.length;
    this.queue = this.queue.filter((entry) => entry.event.seq > seq);
    if (this.queue.length !== before) this.pump();
  }

  get idle() {
    return this.queue.length === 0;
  }

  pump() {
    clearTimeout(this.timer);
    const unsent = this.queue.filter((entry) => !entry.sent);
    if (!unsent.length) return;
    const since = performance.now() - this.sentAt;
    const waiting = this.queue.some((entry) => entry.sent);
    const urgent = unsent.some((entry) => entry.event.final);
    const wait = urgent ? 0 : (waiting ? PATIENCE : COMMIT_GAP) - since;
    if (wait > 0) this.timer = setTimeout(() => this.pump(), wait);
    else this.flush();
  }

  flush() {
    for (const entry of this.queue) entry.sent = true;
    this.sentAt = performance.now();
    this.send(this.queue.map((entry) => entry.event));
  }

  stop() {
    clearTimeout(this.timer);
  }
}
