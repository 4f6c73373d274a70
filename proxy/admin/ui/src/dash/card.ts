import type { Chart } from "../lib/chart.ts";
import { el, find, setText } from "../lib/dom.ts";
import { millis } from "../lib/format.ts";
import type { Detail } from "../lib/table.ts";
import { drawLatency, drawSuccess, latencyChart, successChart } from "./charts.ts";
import { percentiles, type Row } from "./model.ts";
import type { Store } from "./store.ts";

/** cardHeight is the height of a card in pixels: what an open client or server shows. */
export const cardHeight = 206;

/** Card is what an open row shows: latencies in figures, the success rate and the latencies over time. */
export class Card<R extends Row> implements Detail<R> {
  readonly element: HTMLElement;
  readonly #store: Store;
  readonly #success: Chart;
  readonly #latency: Chart;

  constructor(store: Store, successLabel: string) {
    this.#store = store;
    this.#success = successChart(successLabel, 132);
    this.#latency = latencyChart(132);
    const figures = el("dl", { class: "latencies" });
    for (const p of percentiles) figures.append(el("div", {}, el("dt", {}, el("i", { class: `l-${p}` }), p), el("dd", { "data-p": p })));
    this.element = el("div", { class: "inside" }, figures, this.#success.element, this.#latency.element);
  }

  update(row: R): void {
    for (const p of percentiles) setText(find(`[data-p="${p}"]`, this.element), millis(row.latency[p]));
    drawSuccess(this.#success, this.#store, [{ key: row.key, label: "success", colour: "var(--s3)" }]);
    drawLatency(this.#latency, this.#store, row.key, true);
  }

  close(): void {
    this.#success.close();
    this.#latency.close();
  }
}
