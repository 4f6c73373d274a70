/** metrics are what is kept of every row. */
export const metrics = ["requests", "success", "p50", "p95", "p99", "max"] as const;
export type Metric = (typeof metrics)[number];

/**
 * History keeps the last readings of every row in rings of one length. A row that is
 * gone is forgotten at once.
 */
export class History {
  readonly #length: number;
  readonly #times: Float64Array;
  readonly #rows = new Map<string, { ring: Float32Array; tick: number }>();
  #tick = 0; // how many readings there were

  constructor(length: number) {
    this.#length = length;
    this.#times = new Float64Array(length);
  }

  /** push adds a reading; values are in the order of metrics, undefined where unknown. */
  push(seconds: number, rows: Iterable<[string, (number | undefined)[]]>): void {
    const slot = this.#tick % this.#length;
    this.#times[slot] = seconds;
    this.#tick++;
    for (const [key, values] of rows) {
      let row = this.#rows.get(key);
      if (!row) {
        row = { ring: new Float32Array(this.#length * metrics.length).fill(NaN), tick: 0 };
        this.#rows.set(key, row);
      }
      row.tick = this.#tick;
      for (let m = 0; m < metrics.length; m++) row.ring[m * this.#length + slot] = values[m] ?? NaN;
    }
    for (const [key, row] of this.#rows) if (row.tick !== this.#tick) this.#rows.delete(key);
  }

  /** times are those of the readings of the last so many seconds, oldest first. */
  times(spanS: number): number[] {
    const n = Math.min(this.#tick, this.#length), out: number[] = [];
    const last = n ? (this.#times[(this.#tick - 1) % this.#length] as number) : 0;
    for (let i = this.#tick - n; i < this.#tick; i++) {
      const t = this.#times[i % this.#length] as number;
      if (t >= last - spanS) out.push(t);
    }
    return out;
  }

  /** values are those of the last count readings; null where there was none. */
  values(key: string, metric: Metric, count: number): (number | null)[] {
    const ring = this.#rows.get(key)?.ring, base = metrics.indexOf(metric) * this.#length, out: (number | null)[] = [];
    const oldest = Math.max(0, this.#tick - this.#length);
    for (let i = this.#tick - count; i < this.#tick; i++) {
      const v = ring && i >= oldest ? (ring[base + (i % this.#length)] as number) : NaN;
      out.push(Number.isNaN(v) ? null : v);
    }
    return out;
  }

  /** sum adds up the values of many rows. */
  sum(keys: Iterable<string>, metric: Metric, count: number): (number | null)[] {
    const total = new Float64Array(count).fill(NaN), base = metrics.indexOf(metric) * this.#length;
    for (const key of keys) {
      const ring = this.#rows.get(key)?.ring;
      if (!ring) continue;
      for (let i = Math.max(0, count - Math.min(this.#tick, this.#length)); i < count; i++) {
        const v = ring[base + ((this.#tick - count + i) % this.#length)] as number;
        if (!Number.isNaN(v)) total[i] = (Number.isNaN(total[i] as number) ? 0 : (total[i] as number)) + v;
      }
    }
    return Array.from(total, (v) => (Number.isNaN(v) ? null : v));
  }
}
