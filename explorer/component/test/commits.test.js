// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { COMMIT_GAP, Commits, PATIENCE } from "../src/histogram/commits.js";

/** @import { DragEvent, Move } from "../src/types.js" */

let now = 0;
/** @type {DragEvent[][]} */
let sent = [];
/** @type {Commits} */
let commits;

/** @param {number} ms */
function pass(ms) {
  now += ms;
  mock.timers.tick(ms);
}

/** @param {number} value @param {Partial<Move>} [more] @returns {Move} */
const move = (value, more = {}) => ({ kind: "threshold", group: "a", value, final: false, ...more });

/** Values of the events of the last batch. */
const last = () => sent.at(-1)?.map((event) => event.value);

/** The server answers all that was sent. */
const answer = () => commits.acknowledge(Math.max(...sent.flat().map((event) => event.seq)));

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  now = 1000;
  sent = [];
  commits = new Commits((events) => sent.push(events), () => now);
});

test("the first move goes at once", () => {
  commits.push(move(1));
  assert.deepEqual(last(), [1]);
});

test("numbers rise, over another instance too", () => {
  commits.push(move(1, { final: true }));
  commits.push(move(2, { final: true }));
  const other = new Commits((events) => sent.push(events), () => now);
  other.push(move(3, { final: true }));
  const seqs = [...new Set(sent.flat().map((event) => event.seq))];
  assert.equal(seqs.length, 3);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
});

test("while a move is unanswered the newest position replaces the one before it", () => {
  commits.push(move(1));
  for (const value of [2, 3, 4]) commits.push(move(value));
  pass(COMMIT_GAP * 2);
  assert.equal(sent.length, 1);
  answer();
  assert.deepEqual(last(), [4]);
});

test("a position of another group replaces nothing", () => {
  commits.push(move(1));
  commits.push(move(2));
  commits.push(move(3, { group: "b" }));
  pass(COMMIT_GAP);
  answer();
  assert.deepEqual(last(), [2, 3]);
});

test("an answered drag still keeps its gap", () => {
  commits.push(move(1));
  answer();
  commits.push(move(2));
  pass(COMMIT_GAP - 1);
  assert.equal(sent.length, 1);
  pass(1);
  assert.deepEqual(last(), [2]);
});

test("a release goes at once, with what is unanswered before it", () => {
  commits.push(move(1));
  commits.push(move(2, { final: true }));
  assert.deepEqual(last(), [1, 2]);
});

test("a release is never replaced by a later move", () => {
  commits.push(move(1));
  commits.push(move(2, { final: true }));
  commits.push(move(3));
  commits.push(move(4, { final: true }));
  assert.deepEqual(last(), [1, 2, 4]);
});

test("an answer that never comes holds a drag up for a while only", () => {
  commits.push(move(1));
  commits.push(move(2));
  pass(PATIENCE - 1);
  assert.equal(sent.length, 1);
  pass(1);
  assert.deepEqual(last(), [1, 2]);
});

test("nothing is unanswered once the last number is acknowledged", () => {
  commits.push(move(1));
  commits.push(move(2, { final: true }));
  assert.equal(commits.idle, false);
  answer();
  assert.equal(commits.idle, true);
  assert.deepEqual(commits.unanswered, []);
});

test("an acknowledgement of an older number keeps the newer moves", () => {
  commits.push(move(1, { final: true }));
  commits.push(move(2, { final: true }));
  commits.acknowledge(sent[0][0].seq);
  assert.deepEqual(commits.unanswered.map((event) => event.value), [2]);
});

test("after a stop nothing is sent any more", () => {
  commits.push(move(1));
  commits.push(move(2));
  commits.stop();
  pass(PATIENCE * 2);
  assert.equal(sent.length, 1);
});
