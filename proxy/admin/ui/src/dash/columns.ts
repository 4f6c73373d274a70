import { el, setAttribute, setText } from "../lib/dom.ts";
import { grade, millis, number, percent } from "../lib/format.ts";
import { lastWindow } from "../lib/page.ts";
import type { Column } from "../lib/table.ts";
import { fillBar } from "./bar.ts";
import type { Client, Row, Service } from "./model.ts";
import { href } from "./place.ts";

// The columns of the dashboard's tables.

export function success(share: number | undefined, e: Element): void {
  setText(e, percent(share));
  const want = grade(share);
  for (const g of ["good", "fair", "bad"]) e.classList.toggle(g, g === want);
}

/** linked draws a name that leads to a page of its own, with its router before it where there are several. */
export function linked(td: HTMLElement, text: string, to: string, router?: string): undefined {
  let a = td.querySelector("a");
  if (!a) {
    a = el("a");
    td.append(a);
  }
  setText(a, text);
  setAttribute(a, "href", to);
  setAttribute(td, "title", router === undefined ? text : `${text} (${router})`);
}

export const router: Column<Row> = { id: "router", head: "router", width: 1.2, text: true, by: (r) => r.router, cell: (r) => r.router };

export const traffic: Column<Row>[] = [
  { id: "requests", head: "req/s", title: "requests per second", by: (r) => r.requests, cell: (r) => number(r.requests) },
  { id: "success", head: "success", title: "share of successes now", by: (r) => r.success, cell: (r, td) => { success(r.success, td); return undefined; } },
  { id: "failures", head: "fail/s", title: "failures per second", by: (r) => r.failures, cell: (r) => number(r.failures) },
];

export const latencies: Column<Row>[] = (["p50", "p95", "p99", "max"] as const).map((p) => ({
  id: p, head: p, title: `${p} of the ${lastWindow}`, by: (r) => r.latency[p], cell: (r) => millis(r.latency[p]),
}));

export const pending: Column<Row> = { id: "pending", head: "pending", title: "requests under way", by: (r) => r.pending, cell: (r) => number(r.pending) };
export const connections: Column<Row> = { id: "connections", head: "conns", title: "open connections", by: (r) => r.connections, cell: (r) => number(r.connections) };

export const retries: Column<Service>[] = [
  { id: "retries", head: "retries/s", by: (r) => r.retries, cell: (r) => number(r.retries) },
  { id: "budget", head: "budget", title: "retries left in the budget", by: (r) => r.budget, cell: (r) => number(r.budget) },
  { id: "exhausted", head: "refused", title: "retries refused since the start because the budget was exhausted", by: (r) => r.exhausted, cell: (r) => number(r.exhausted) },
];

export const service: Column<Service> = {
  id: "service", head: "service", width: 3, text: true, by: (r) => r.id,
  cell: (r, td) => linked(td, r.id, href({ router: r.router, service: r.id }), r.router),
};

export const available: Column<Client> = {
  id: "available", head: "endpoints", title: "available endpoints of all", width: 1.6,
  by: (r) => (r.size ? (r.available ?? 0) / r.size : undefined),
  cell: (r, td) => {
    let box = td.firstElementChild;
    if (!box) {
      box = el("span", { class: "barred" }, el("span"), el("span", { class: "bar" }, el("i")));
      td.append(box);
    }
    const share = r.size ? (r.available ?? 0) / r.size : 0;
    setText(box.firstElementChild as Element, r.size === undefined ? "–" : `${r.available ?? 0} / ${r.size}`);
    fillBar(box.lastElementChild as HTMLElement, share, share < 0.5 ? "fair" : "");
    return undefined;
  },
};
