// @ts-check
// What a chart of Plotly draws, as a table: a row a mark, numbers in full.

/** @typedef {ArrayLike<unknown>} List */
/**
 * @typedef {object} Trace
 * @property {string} [type]
 * @property {string} [name]
 * @property {unknown} [hoverinfo]
 * @property {List} [x]
 * @property {List} [y]
 * @property {List} [z]
 * @property {List | string} [hovertext]
 * @property {List | string} [customdata]
 * @property {{ array?: List, arrayminus?: List }} [error_x]
 * @property {{ array?: List, arrayminus?: List }} [error_y]
 */
/** @typedef {Record<string, unknown>} Row */

const COLUMNS = ["series", "x", "y", "value", "x_minus", "x_plus", "y_minus", "y_plus", "words"];

/** @param {readonly Trace[]} traces */
export function csvOf(traces) {
  const rows = traces.filter((trace) => trace.hoverinfo !== "skip").flatMap(rowsOf);
  const columns = COLUMNS.filter((column) => rows.some((row) => row[column] !== undefined && row[column] !== ""));
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(","));
  return `${[columns.join(","), ...lines].join("\n")}\n`;
}

/** @param {Trace} trace @returns {Row[]} */
function rowsOf(trace) {
  const series = plain(trace.name ?? "");
  if (trace.z !== undefined) return cellsOf(trace, series);
  const length = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
  return Array.from({ length }, (_, i) => ({
    series,
    x: place(trace.x, i),
    y: place(trace.y, i),
    x_minus: at(trace.error_x?.arrayminus, i),
    x_plus: at(trace.error_x?.array, i),
    y_minus: at(trace.error_y?.arrayminus, i),
    y_plus: at(trace.error_y?.array, i),
    words: words(trace.hovertext, i),
  }));
}

/** @param {List | undefined} values @param {number} i */
const at = (values, i) => values?.[i];

/** Where a mark stands; its number where the chart does not say. @param {List | undefined} values @param {number} i */
const place = (values, i) => (values === undefined ? i : values[i]);

/** The cells of a heat map that hold a number. @param {Trace} trace @param {string} series @returns {Row[]} */
function cellsOf(trace, series) {
  const rows = Array.from(/** @type {ArrayLike<List>} */ (trace.z ?? []));
  return rows.flatMap((row, i) =>
    Array.from(row, (value, j) => ({
      series,
      x: place(trace.x, j),
      y: place(trace.y, i),
      value,
      words: words(/** @type {List | undefined} */ (trace.customdata)?.[i], j),
    })).filter(({ value }) => value !== null && value !== undefined && !Number.isNaN(value)),
  );
}

/** @param {unknown} texts @param {number} i */
function words(texts, i) {
  if (typeof texts === "string") return plain(texts);
  const text = /** @type {List | undefined} */ (texts)?.[i];
  return typeof text === "string" ? plain(text) : "";
}

/** Without Plotly's tags; a line break is a comma. @param {string} text */
export function plain(text) {
  const bare = text.replaceAll(/<br\s*\/?>/g, ", ").replaceAll(/<[^>]*>/g, "");
  return bare.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&").trim();
}

/** Numbers in full; text on one line, never a formula. @param {unknown} value */
function cell(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const line = String(value).replaceAll(/\s+/g, " ");
  const safe = /^[=+\-@]/.test(line) && Number.isNaN(Number(line)) ? `'${line}` : line;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
