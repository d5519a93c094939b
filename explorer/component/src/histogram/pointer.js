// @ts-check
// What a pointer does: it drags lines, puts them back by a double click and presses the buttons.

import { positionOf, valueAt } from "./axis.js";
import { elementOf } from "./events.js";
import { shortened } from "./moves.js";

/** @import { Moves } from "./moves.js" */
/** @import { Row } from "./row.js" */
/** @import { Board } from "../types.js" */

const NEAR = 9; // pixels from a line at which it is held where it is
const FINGER_SLACK = 6; // pixels that a finger may wander before it drags

/**
 * @typedef {object} Drag what the pointer holds
 * @property {Row} row
 * @property {DOMRect} box of the row's plot
 * @property {number} id of the pointer
 * @property {number} from where it was pressed
 * @property {boolean} held the line was pressed, and not a place beside it
 * @property {number} offset from the pointer to the line
 * @property {boolean} undecided a finger on the bars may be about to scroll the page
 * @property {boolean} moved
 * @property {number | undefined} value where the line was put last
 */

export class Pointer {
  /** @param {Board} board @param {Moves} moves */
  constructor(board, moves) {
    this.board = board;
    this.moves = moves;
    /** @type {Drag | null} */
    this.drag = null;
  }

  listen() {
    const { place } = this.board;
    place.addEventListener("pointerdown", (event) => this.onDown(event));
    place.addEventListener("pointermove", (event) => this.onMove(event));
    place.addEventListener("pointermove", (event) => this.onHover(event));
    place.addEventListener("pointerleave", () => this.board.hint.hide());
    place.addEventListener("pointerup", (event) => this.onUp(event));
    place.addEventListener("pointercancel", (event) => this.onCancel(event));
    place.addEventListener("lostpointercapture", (event) => this.onUp(event));
    place.addEventListener("dblclick", (event) => this.onDouble(event));
    place.addEventListener("click", (event) => this.onClick(event));
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    const row = this.board.rowOf(event);
    if (!row?.moves || event.button !== 0 || this.drag || !onPlot(event)) return;
    const drag = this.begin(row, event);
    this.drag = drag;
    try {
      row.area.setPointerCapture(drag.id);
    } catch {
      // The pointer has gone already; the drag ends with its next event.
    }
    row.thumb.focus({ preventScroll: true });
    this.board.host.classList.add("ph-dragging");
    if (!drag.held && !drag.undecided) this.follow(event, drag);
  }

  /** @param {Row} row @param {PointerEvent} event @returns {Drag} */
  begin(row, event) {
    const box = row.area.getBoundingClientRect();
    const { pointerId: id, pointerType, clientX: from } = event;
    const at = box.left + positionOf(row.group, row.line, this.board.scale) * box.width;
    const onThumb = event.target === row.thumb;
    const held = onThumb || Math.abs(from - at) < NEAR;
    const undecided = pointerType === "touch" && !onThumb;
    return { row, box, id, from, held, offset: held ? at - from : 0, undecided, moved: false, value: undefined };
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.abs(event.clientX - drag.from);
    if (drag.undecided && far < FINGER_SLACK) return;
    if (!drag.moved && far < 1) return;
    drag.undecided = false;
    drag.moved = true;
    this.follow(event, drag);
  }

  /** What lies under a mouse that drags nothing. @param {PointerEvent} event */
  onHover(event) {
    const row = this.board.rowOf(event);
    if (this.drag || !row?.group.movable || event.pointerType === "touch" || !onPlot(event)) this.board.hint.hide();
    else this.board.hint.show(row, event.clientX, this.board.scale);
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    if (drag.undecided) this.follow(event, drag); // a tap
    this.end();
    if (drag.value !== undefined) this.moves.commit(drag.row, drag.value, true);
    else this.board.takeWaiting();
  }

  /** @param {PointerEvent} event */
  onCancel(event) {
    if (!this.drag || event.pointerId !== this.drag.id) return;
    this.drag.undecided = false;
    this.onUp(event);
  }

  end() {
    this.drag = null;
    this.board.host.classList.remove("ph-dragging");
  }

  /**
   * The line goes where the pointer is; numbers follow at once, the server a little later.
   * @param {PointerEvent} event
   * @param {Drag} drag
   */
  follow(event, drag) {
    const position = (event.clientX + drag.offset - drag.box.left) / drag.box.width;
    const value = shortened(valueAt(drag.row.group, position, this.board.scale));
    if (value === drag.value) return;
    drag.value = value;
    this.moves.show(drag.row, value);
    this.moves.commit(drag.row, value, false);
  }

  /** @param {MouseEvent} event */
  onDouble(event) {
    const row = this.board.rowOf(event);
    if (row?.moves && onPlot(event)) this.moves.reset(row);
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const row = this.board.rowOf(event);
    if (!row?.group.movable) return;
    const target = elementOf(event);
    if (target?.closest(".ph-lock")) this.board.setLock(row);
    else if (target?.closest(".ph-more")) this.board.menu.show(row);
  }
}

/** @param {Event} event */
function onPlot(event) {
  return Boolean(elementOf(event)?.closest(".ph-area"));
}
