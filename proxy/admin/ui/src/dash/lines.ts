import type { Line } from "../lib/chart.ts";
import type { History } from "./history.ts";
import type { Row } from "./model.ts";

const most = 9, chooseEvery = 10;

/**
 * Busiest chooses the rows that get a line of their own: the busiest ones of the last half
 * minute. The choice is made anew every ten readings and colours stay with their rows, so
 * that lines can be followed. The others are one line together.
 */
export class Busiest {
  #chosen = new Map<string, number>(); // key → colour
  #reading = 0;

  lines(rows: Row[], history: History, count: number, name: (r: Row) => string): Line[] {
    const byKey = new Map(rows.map((r) => [r.key, r]));
    const gone = [...this.#chosen.keys()].some((k) => !byKey.has(k));
    const room = this.#chosen.size < Math.min(most, rows.length);
    if (gone || room || this.#reading++ % chooseEvery === 0) this.#choose(rows, history);
    const lines: Line[] = [];
    for (const [key, colour] of this.#chosen) {
      const row = byKey.get(key);
      if (row) lines.push({ label: name(row), colour: `var(--s${colour})`, values: history.values(key, "requests", count) });
    }
    if (rows.length > this.#chosen.size) {
      const others = rows.filter((r) => !this.#chosen.has(r.key));
      lines.push({ label: `${others.length} others together`, colour: "var(--other)", values: history.sum(others.map((r) => r.key), "requests", count) });
    }
    return lines;
  }

  #choose(rows: Row[], history: History): void {
    const busy = new Map(rows.map((r) => [r.key, history.sum([r.key], "requests", 30).reduce<number>((n, v) => n + (v ?? 0), 0)]));
    const order = [...rows].sort((a, b) => (busy.get(b.key) ?? 0) - (busy.get(a.key) ?? 0) || (a.key < b.key ? -1 : 1)).slice(0, most);
    const next = new Map<string, number>(), used = new Set<number>();
    for (const r of order) {
      const had = this.#chosen.get(r.key);
      if (had !== undefined) used.add(had);
    }
    let free = 0;
    for (const r of order.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      let colour = this.#chosen.get(r.key);
      if (colour === undefined) {
        while (used.has(free)) free++;
        colour = free;
        used.add(free);
      }
      next.set(r.key, colour);
    }
    this.#chosen = next;
  }
}
