// The shapes that the modules share; the messages among them are explained in ../PROTOCOL.md.

import type { Hint } from "./histogram/hint.js";
import type { Commits } from "./histogram/commits.js";
import type { LimitMenu } from "./histogram/limit_menu.js";
import type { ListView } from "./histogram/list_view.js";
import type { Row } from "./histogram/row.js";
import type { Toolbar } from "./histogram/toolbar.js";

export type Mode = "alone" | "together" | "share";
export type Scale = "linear" | "log";
export type Order = "model" | "size" | "sparsity" | "sensitivity";

/** A group of the payload, as Python packs it: arrays are base64, and a group without scores has none. */
export interface PackedGroup {
  name: string;
  unit: string;
  n: number;
  weights: number;
  block: string;
  kind: string;
  why_not?: string;
  locked_by?: string;
  layers?: string[];
  low?: number;
  high?: number;
  start?: number;
  floor?: number;
  zeros?: number;
  exact?: boolean;
  edges?: string;
  counts?: string;
  linear?: string;
  zero_bar?: number;
  log?: string;
}

/** A group unpacked. */
export interface Group {
  name: string;
  unit: string;
  n: number;
  block: string;
  kind: string;
  why_not?: string | undefined;
  locked_by?: string | undefined;
  layers: string[];
  high: number;
  start: number;
  floor: number;
  zeros: number;
  exact: boolean;
  edges: Float32Array;
  counts: Uint32Array;
  linear: Uint8Array;
  zero_bar: number;
  log: Uint8Array | null;
  movable: boolean;
  zone: number;
}

export type Part = "mode" | "scale" | "steps" | "search" | "tools";

export interface StaticPart {
  digest: string;
  symbol: string;
  scope?: string;
  hide?: Part[];
  groups: PackedGroup[];
}

export interface StripsPart {
  digest: string;
  levels: Record<string, string>;
  whole: number;
}

/** A part whose body the browser holds already. */
export interface DigestAlone {
  digest: string;
}

export interface DynamicPart {
  revision: number;
  ack: number;
  mode: Mode;
  scale: Scale;
  can_undo: boolean;
  can_redo: boolean;
  lines: (number | null)[];
  pruned: number[];
  locked: number[];
  limits: Record<string, [number, number]>;
  expected: Record<string, string>;
}

export interface Payload {
  static: StaticPart | DigestAlone | null;
  strips: StripsPart | DigestAlone | null;
  dynamic: DynamicPart;
}

/** What a hand did, before it is numbered. */
export interface Move {
  kind: "threshold" | "share" | "reset" | "lock" | "limit" | "mode" | "scale" | "undo" | "redo";
  group?: string;
  value?: number;
  mode?: Mode;
  scale?: Scale;
  final: boolean;
  locked?: boolean;
  floor?: number;
  cap?: number;
}

export interface DragEvent extends Move {
  seq: number;
}

export interface Commit {
  events: DragEvent[];
  have: string[];
}

export type OnChange = (commit: Commit) => void;

export interface Mounted {
  update(payload: Payload): void;
  destroy(): void;
}

export type Mount = (root: HTMLElement | ShadowRoot, payload: Payload, onChange: OnChange) => Mounted;

/** What the hands need of the histogram. */
export interface Board {
  host: HTMLElement;
  place: HTMLElement;
  rows: Row[];
  list: ListView;
  commits: Commits;
  toolbar: Toolbar;
  menu: LimitMenu;
  hint: Hint;
  mode: Mode;
  scale: Scale;
  rowOf(event: Event): Row | undefined;
  refresh(): void;
  setLock(row: Row): void;
  takeWaiting(): void;
}

/** What Streamlit gives a component of its second version. */
export interface StreamlitArguments<T> {
  data: T;
  parentElement: HTMLElement | ShadowRoot;
  setStateValue(name: string, value: unknown): void;
  setTriggerValue(name: string, value: unknown): void;
}

export interface ScheduleData {
  points: [number, number][];
  epochs: number;
  end: number;
  final: number;
  moves_end: boolean;
  words: string;
}

/** One cell of the line of facts; `progress` (0 to 1) while it is still measured. */
export interface Fact {
  name: string;
  origin: string;
  value: string;
  note: string;
  tone: string;
  progress: number | null;
}

export interface Warning {
  level: string;
  what: string;
  action: string;
}

/** Choices of one kind: a list with one present, or (null) buttons. */
export interface Offer {
  kind: string;
  label: string;
  choices: [value: string, text: string][];
  present: string | null;
}

export interface Choice {
  kind: string;
  value: string;
}

/** What stands around the histograms in a notebook. */
export interface Around {
  model: string;
  data: string;
  facts: Fact[];
  warnings: Warning[];
  refusals: string[];
  offers: Offer[];
}

export interface ChartPoint {
  ratio: number;
  share: number;
  low: number | null;
  high: number | null;
  text: string;
}

export interface Series {
  kind: "curve" | "control" | "tried" | "now";
  label: string;
  points: ChartPoint[];
}

export interface Chart {
  title: string;
  alternative: string;
  series: Series[];
}

export interface DrawingData {
  levels: string[];
  heights: number[] | null;
  low: number;
  high: number;
  unit: string;
  across: string;
  up: string;
  words: string;
  locked: boolean;
}

export interface GraphNode {
  name: string;
  label: string;
  about: string;
  role: "" | "scored" | "consumes";
  joint: boolean;
  words: string;
  at: [number, number];
  size: [number, number];
}

export interface GraphData {
  nodes: GraphNode[];
  lines: number[][];
  file: string;
  chosen: string;
  words: string;
}
