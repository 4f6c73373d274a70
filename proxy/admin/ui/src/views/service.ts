import { RetryBudget, usual } from "../dash/budget.ts";
import { Charts } from "../dash/charts.ts";
import { available, connections, latencies, pending, retries, traffic } from "../dash/columns.ts";
import { serviceOf } from "../dash/endpoints.ts";
import type { Client, Service } from "../dash/model.ts";
import { href, type Place } from "../dash/place.ts";
import { Section } from "../dash/section.ts";
import type { Store } from "../dash/store.ts";
import { Topline } from "../dash/topline.ts";
import { el, setText } from "../lib/dom.ts";
import { grade, millis, number, percent } from "../lib/format.ts";
import { lastWindow } from "../lib/page.ts";
import type { Column } from "../lib/table.ts";
import type { View } from "./view.ts";

/** ServiceView is one service of a router: how callers see it, and which clients it goes to. */
export class ServiceView implements View {
  readonly element = el("div", { class: "stack" });
  readonly heading: string;
  readonly #place: Place;
  readonly #gone = el("p", { class: "card none" });
  readonly #fault = el("p", { class: "banner", role: "alert", hidden: true });
  readonly #topline = new Topline([
    ["requests", "requests/s"], ["success", "success rate"], ["p50", `p50 · ${lastWindow}`], ["p95", `p95 · ${lastWindow}`], ["p99", `p99 · ${lastWindow}`], ["max", `max · ${lastWindow}`],
    ["pending", "pending"], ["retries", "retries/s"], ["budget", "retries left"],
  ]);
  readonly #charts = new Charts("service");
  readonly #budget = new RetryBudget();
  readonly #clients: Section<Client>;

  constructor(place: Place) {
    this.#place = place;
    this.heading = place.service ?? "";
    this.#clients = new Section<Client>({
      title: "Clients", title1: "client", name: (r) => r.name, link: (r) => href({ router: r.router, service: place.service ?? "", client: r.id }), note: "where its requests go; figures are of all services that share a client",
      columns: [...traffic, retries[0] as Column<Service>, pending, connections, available, ...latencies], empty: "no clients: nothing was sent since the names were pruned", minWidth: 900,
      sort: { id: "requests", descending: true },
    });
    this.element.append(this.#gone, this.#fault, this.#topline.element, this.#charts.element, el("section", { class: "card", "aria-label": "retry budget" }, this.#budget.element), this.#clients.element);
  }

  update(store: Store): void {
    const { router, service } = this.#place, s = store.snapshot?.services.find((x) => x.router === router && x.id === service);
    const more = serviceOf(store.endpoints, router ?? "", service ?? "");
    this.#gone.hidden = !!s;
    this.#fault.hidden = !more?.error;
    setText(this.#fault, more?.error ? `Requests go nowhere: ${more.error}` : "");
    if (!s) {
      setText(this.#gone, store.snapshot ? "There are no metrics of this service: it had no requests for a while, or never had any." : "Reading …");
      return;
    }
    const t = this.#topline;
    t.set("requests", number(s.requests));
    t.set("success", percent(s.success), grade(s.success));
    for (const p of ["p50", "p95", "p99", "max"] as const) t.set(p, millis(s.latency[p]));
    t.set("pending", number(more?.pending ?? s.pending));
    t.set("retries", number(s.retries));
    t.set("budget", number(more?.retryBudget?.balance ?? s.budget));
    this.#charts.update(store, s, [s], (r) => r.id);
    this.#budget.update(more?.retryBudget?.percentCanRetry ?? usual, s.requests, s.retries, more?.retryBudget?.balance ?? s.budget, s.exhausted, more?.retryBudget);
    const its = new Set(more?.clients ?? []);
    this.#clients.update((store.snapshot?.clients ?? []).filter((c) => c.router === router && (its.has(c.id) || c.services.includes(service ?? ""))));
  }

  close(): void {
    this.#charts.close();
    this.#clients.table.close();
  }
}
