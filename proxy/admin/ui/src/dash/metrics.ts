import { url } from "../lib/net.ts";
import MetricsWorker from "./metrics.worker.ts?worker";
import type { Snapshot } from "./model.ts";

/** Asked is a question to the worker: read what is at url, or, without one, never mind. */
export interface Asked { id: number; url?: string }
export interface Answered { id: number; snapshot?: Snapshot; problem?: string }

/** Metrics asks a worker for snapshots of the metrics. */
export class Metrics {
  readonly #worker = new MetricsWorker();
  readonly #waiting = new Map<number, { done(s: Snapshot): void; failed(e: Error): void }>();
  #id = 0;

  constructor() {
    this.#worker.addEventListener("message", (e: MessageEvent<Answered>) => {
      const { id, snapshot, problem } = e.data, w = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (snapshot) w?.done(snapshot);
      else w?.failed(new Error(problem));
    });
    this.#worker.addEventListener("error", (e) => {
      for (const w of this.#waiting.values()) w.failed(new Error(e.message || "the script that reads metrics cannot be loaded"));
      this.#waiting.clear();
    });
  }

  /** read returns what the metrics are now. */
  readonly read = (signal: AbortSignal): Promise<Snapshot> => {
    const id = ++this.#id;
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed });
      signal.addEventListener("abort", () => {
        this.#waiting.delete(id);
        this.#send({ id });
        failed(signal.reason instanceof Error ? signal.reason : new Error("no answer in time"));
      });
      // A worker's addresses are relative to its script.
      this.#send({ id, url: new URL(url("admin/metrics.json?tree=1"), location.href).href });
    });
  };

  #send(a: Asked): void {
    this.#worker.postMessage(a);
  }
}
