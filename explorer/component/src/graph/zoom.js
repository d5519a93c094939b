// @ts-check
// Scales of the graph, and which of its boxes a search finds. No document here.

const LEAST = 0.15;
const MOST = 3;
const STEP = 1.25;

/** @param {number} scale */
export const within = (scale) => Math.min(MOST, Math.max(LEAST, scale));

/** @param {number} scale @param {number} steps nearer (positive) or farther */
export const zoomed = (scale, steps) => within(scale * STEP ** steps);

/**
 * The scale at which the whole graph is seen.
 * @param {{ width: number, height: number }} room
 * @param {{ width: number, height: number }} size
 */
export function fitting(room, size) {
  return within(Math.min(1, room.width / size.width, room.height / size.height));
}

/**
 * Where to scroll so that the place under the pointer stays under it.
 * @param {number} scroll @param {number} pointer from the edge of what is seen
 * @param {number} ratio new scale / old scale
 */
export const anchored = (scroll, pointer, ratio) => (scroll + pointer) * ratio - pointer;

/**
 * The boxes whose name or line holds all words of a search, as their numbers.
 * @param {{ label: string, about: string }[]} nodes @param {string} text
 */
export function matching(nodes, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return nodes.flatMap(({ label, about }, i) => {
    const whole = `${label} ${about}`.toLowerCase();
    return words.every((word) => whole.includes(word)) ? [i] : [];
  });
}

/**
 * A line through points that lead down, each step an S.
 * @param {number[]} points x and y in turns
 */
export function curve(points) {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const [x0, y0, x, y] = points.slice(i - 2, i + 2);
    const middle = (y0 + y) / 2;
    path += `C${x0} ${middle} ${x} ${middle} ${x} ${y}`;
  }
  return path;
}
