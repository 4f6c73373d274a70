import { Chart } from "../lib/chart.ts";
import { el } from "../lib/dom.ts";
import { millis, millisTick, percent, short } from "../lib/format.ts";
import { lastWindow } from "../lib/page.ts";
import { Busiest } from "./lines.ts";
import type { Row } from "./model.ts";
import { nines } from "./nines.ts";
import type { Store } from "./store.ts";

const soonS = 120, longS = 300;

const share = (n: number | null | undefined): string => (n === null || n === undefined ? "–" : percent(n / 100));

/** successChart shows one success rate, with a line at 100 %. */
export function successChart(label: string, height: number): Chart {
  return new Chart({ label, height, spanS: soonS, value: share, tick: (n) => `${Math.round(n * 1e4) / 1e4}%`, axis: 62, range: (min) => nines(min), reference: 100 });
}

export function drawSuccess(chart: Chart, store: Store, rows: { key: string; label: string; colour: string }[]): void {
  const times = store.history.times(soonS);
  chart.update(times, rows.map((r) => ({
    label: r.label, colour: r.colour,
    values: store.history.values(r.key, "success", times.length).map((v) => (v === null ? null : 100 * v)),
  })));
}

const percentiles = [["max", "var(--l-max)"], ["p99", "var(--l-p99)"], ["p95", "var(--l-p95)"], ["p50", "var(--l-p50)"]] as const;

/** latencyChart shows percentiles, each point those of the window that was over then. */
export function latencyChart(height: number): Chart {
  return new Chart({ label: `latencies of the ${lastWindow}`, height, spanS: longS, value: (n) => millis(n ?? undefined), tick: millisTick, axis: 58 });
}

export function drawLatency(chart: Chart, store: Store, key: string, withMax: boolean): void {
  const times = store.history.times(longS);
  chart.update(times, percentiles.filter(([p]) => withMax || p !== "max").map(([p, colour]) => ({
    label: p, colour, values: store.history.values(key, p, times.length),
  })));
}

/** Charts are the three of a place: requests, success rate and latencies. */
export class Charts {
  readonly element: HTMLElement;
  readonly #requests: Chart;
  readonly #success = successChart("success rate", 181);
  readonly #latency = latencyChart(181);
  readonly #busiest = new Busiest();

  /** requestsOf names what has a line each in the chart of requests. */
  constructor(requestsOf: string) {
    this.#requests = new Chart({ label: `requests per ${requestsOf}, per second`, spanS: soonS, value: (n) => (n === null || n === undefined ? "–" : short(n)) });
    this.element = el("section", { class: "card charts", "aria-label": "charts" }, this.#requests.element, this.#success.element, this.#latency.element);
  }

  update(store: Store, whole: Row, parts: Row[], name: (r: Row) => string): void {
    const times = store.history.times(soonS);
    this.#requests.update(times, this.#busiest.lines(parts, store.history, times.length, name));
    drawSuccess(this.#success, store, [{ key: whole.key, label: "success", colour: "var(--s3)" }]);
    drawLatency(this.#latency, store, whole.key, false);
  }

  close(): void {
    for (const c of [this.#requests, this.#success, this.#latency]) c.close();
  }
}
