// @ts-check
// Where epochs and shares stand in the drawing of a schedule, and back. No document here.

/** @import { ScheduleData } from "../types.js" */

const WIDE = 560;
const NARROW = 340;
const NARROW_BELOW = 440; // pixels of room: letters shrink with the drawing, so on a phone it is drawn narrower
const LEFT = 44;
const RIGHT = 18;
const TOP = 16;
const BOTTOM = 34;
const LOWEST = 0.05;
const HIGHEST = 0.99;

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Frame {
  /** @param {number} room pixels; 0 where it is not known yet */
  constructor(room) {
    this.width = room > 0 && room < NARROW_BELOW ? NARROW : WIDE;
    this.height = 200;
    this.left = LEFT;
    this.top = TOP;
  }

  /** @param {number} share of all epochs */
  x(share) {
    return LEFT + share * (this.width - LEFT - RIGHT);
  }

  /** @param {number} level share of the units */
  y(level) {
    return this.height - BOTTOM - level * (this.height - TOP - BOTTOM);
  }

  /** @param {number} x @param {number} y in units of the drawing */
  at(x, y) {
    return {
      share: (x - LEFT) / (this.width - LEFT - RIGHT),
      level: (this.height - BOTTOM - y) / (this.height - TOP - BOTTOM),
    };
  }
}

/**
 * The corner that a hand may mean: a whole epoch, where the end moves at all, and whole percents.
 * @param {ScheduleData} data
 * @param {number} end
 * @param {number} final
 */
export function corner(data, end, final) {
  const epoch = clamp(Math.round(end * data.epochs) / data.epochs, 1 / data.epochs, 1);
  return { end: data.moves_end ? epoch : undefined, final: clamp(Math.round(100 * final) / 100, LOWEST, HIGHEST) };
}

/**
 * The outline of the steps, stretched to a corner that is not the data's own.
 * @param {Frame} frame
 * @param {ScheduleData} data
 * @param {number} end
 * @param {number} final
 */
export function stepsPath(frame, data, end, final) {
  const wide = data.end > 0 ? end / data.end : 1;
  const high = data.final > 0 ? final / data.final : 1;
  let path = "";
  data.points.forEach(([epoch, share], i) => {
    const x = frame.x(clamp((epoch / data.epochs) * wide, 0, 1));
    const y = frame.y(clamp(share * high, 0, 1));
    path += i ? `H${x}V${y}` : `M${x} ${y}`;
  });
  return `${path}H${frame.x(1)}`;
}
