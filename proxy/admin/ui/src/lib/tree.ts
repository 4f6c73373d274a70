// Reading admin/metrics.json?tree=1: nested objects whose leaves are {"counter":1},
// {"gauge":1.0} or {"stat.count":…,"stat.p50":…}.

export interface Node {
  [key: string]: Node | number | undefined;
}

export type Stat = Partial<Record<"count" | "max" | "min" | "p50" | "p90" | "p95" | "p99" | "p9990" | "p9999" | "sum" | "avg", number>>;

export function at(node: Node | undefined, ...path: string[]): Node | undefined {
  for (const key of path) {
    const next = node?.[key];
    if (typeof next !== "object") return undefined;
    node = next;
  }
  return node;
}

export function counter(node: Node | undefined, ...path: string[]): number {
  const v = at(node, ...path)?.counter;
  return typeof v === "number" ? v : 0;
}

/** gauge is undefined where there is none, which is not the same as zero. */
export function gauge(node: Node | undefined, ...path: string[]): number | undefined {
  const v = at(node, ...path)?.gauge;
  return typeof v === "number" ? v : undefined;
}

/** stat is what the last closed window had; a window without samples has a count only. */
export function stat(node: Node | undefined, ...path: string[]): Stat {
  const of = at(node, ...path), s: Stat = {};
  if (!of) return s;
  for (const key in of) {
    const v = of[key];
    if (typeof v === "number" && key.startsWith("stat.")) s[key.slice(5) as keyof Stat] = v;
  }
  return s;
}

/** entries are the subtrees by name; those that have been pruned are empty and left out. */
export function entries(node: Node | undefined): [string, Node][] {
  const list: [string, Node][] = [];
  if (node) for (const key in node) {
    const v = node[key];
    if (typeof v === "object" && !isEmpty(v)) list.push([key, v]);
  }
  return list;
}

function isEmpty(node: Node): boolean {
  for (const key in node) {
    const v = node[key];
    if (typeof v === "number" || (v && !isEmpty(v))) return false;
  }
  return true;
}

/** Rates turns counters into rates per second between two readings. */
export class Rates {
  #last = new Map<string, number>();
  #next = new Map<string, number>();
  #time: number | undefined;
  #seconds = 0;

  /** begin starts a reading at a time in milliseconds. */
  begin(now: number): void {
    this.#seconds = this.#time === undefined ? 0 : (now - this.#time) / 1000;
    this.#time = now;
    this.#last = this.#next;
    this.#next = new Map();
  }

  /** of is undefined until there are two readings. A counter that began anew has not moved. */
  of(key: string, value: number): number | undefined {
    this.#next.set(key, value);
    const before = this.#last.get(key);
    return before === undefined || this.#seconds <= 0 ? undefined : Math.max(0, value - before) / this.#seconds;
  }
}
