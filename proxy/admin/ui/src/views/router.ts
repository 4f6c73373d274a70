import { RetryBudget, usual } from "../dash/budget.ts";
import { Card, cardHeight } from "../dash/card.ts";
import { Charts } from "../dash/charts.ts";
import { available, connections, latencies, pending, retries, router as routerColumn, traffic } from "../dash/columns.ts";
import { dtabs } from "../dash/dtabs.ts";
import { blank, type Client, type RouterRow, type Row, type Service, type Snapshot } from "../dash/model.ts";
import { href, type Place } from "../dash/place.ts";
import { ProcessInfo } from "../dash/process.ts";
import { Section } from "../dash/section.ts";
import type { Store } from "../dash/store.ts";
import { Topline } from "../dash/topline.ts";
import { el } from "../lib/dom.ts";
import { grade, millis, number, percent } from "../lib/format.ts";
import { lastWindow } from "../lib/page.ts";
import type { Column } from "../lib/table.ts";
import type { View } from "./view.ts";

const about = `of the ${lastWindow}; of the slowest server where there are several`;

/** RouterView is the overview: of one router, or of all of them. */
export class RouterView implements View {
  readonly element = el("div", { class: "stack" });
  readonly heading: string;
  readonly #router: string | undefined;
  readonly #topline = new Topline([
    ["requests", "requests/s"], ["success", "success rate"],
    ["p50", `p50 · ${lastWindow}`, `p50 ${about}`], ["p95", `p95 · ${lastWindow}`, `p95 ${about}`], ["p99", `p99 · ${lastWindow}`, `p99 ${about}`],
    ["incoming", "connections in"], ["outgoing", "connections out"], ["pending", "pending"], ["retries", "retries/s"], ["budget", "retries left", "the smallest retry budget of a service"],
  ]);
  readonly #charts: Charts;
  readonly #budget = new RetryBudget();
  readonly #routers: Section<RouterRow> | undefined;
  readonly #services: Section<Service>;
  readonly #clients: Section<Client>;
  readonly #servers: Section<Row>;
  readonly #process = new ProcessInfo();
  #transformers = false;
  #toggle: HTMLButtonElement;

  constructor(place: Place, several: boolean, store: Store) {
    this.#router = place.router;
    this.heading = place.router ?? "Overview";
    this.#charts = new Charts(place.router || !several ? "client" : "router");
    const all = several && !place.router;
    const where = (all ? [routerColumn] : []) as Column<never>[];
    this.#services = new Section<Service>({
      title: "Services", title1: "service", name: (r) => r.id, link: (r) => href({ router: r.router, service: r.id }), note: "what callers ask for: retries count once",
      columns: [...where, ...traffic, ...retries, pending, ...latencies], empty: "no services yet", sort: { id: "requests", descending: true }, minWidth: all ? 1080 : 980,
    });
    this.#clients = new Section<Client>({
      title: "Clients", title1: "client", name: (r) => (this.#transformers ? r.id : r.name), link: (r) => href({ router: r.router, client: r.id }), note: "where requests go: every attempt counts",
      search: (r) => r.id,
      columns: [...where, ...traffic, retries[0] as Column<Service>, pending, connections, available, ...latencies], empty: "no clients yet", sort: { id: "name", descending: false },
      minWidth: all ? 1080 : 980, detail: { height: cardHeight, make: () => new Card<Client>(store, "success rate") },
    });
    this.#toggle = el("button", { type: "button", class: "quiet", "aria-pressed": "false", hidden: true, onclick: () => {
      this.#transformers = !this.#transformers;
      this.#toggle.setAttribute("aria-pressed", String(this.#transformers));
      this.update(store);
    } }, "Show transformers");
    this.#clients.tools.prepend(this.#toggle);
    this.#servers = new Section<Row>({
      title: "Servers", title1: "server", name: (r) => r.id, note: "per instance: what comes in",
      columns: [...where, ...traffic, pending, connections, ...latencies], empty: "no servers yet", sort: { id: "name", descending: false }, minWidth: 900,
      detail: { height: cardHeight, make: () => new Card<Row>(store, "server success rate") },
    });
    if (all) {
      this.#routers = new Section<RouterRow>({
        title: "Routers", title1: "router", name: (r) => r.id, link: (r) => href({ router: r.id }),
        columns: [...traffic, ...(retries as Column<RouterRow>[]), pending,
          { id: "incoming", head: "in", title: "connections from callers", by: (r) => r.incoming, cell: (r) => number(r.incoming) },
          { id: "outgoing", head: "out", title: "connections to endpoints", by: (r) => r.outgoing, cell: (r) => number(r.outgoing) }, ...latencies],
        empty: "no routers yet", sort: { id: "name", descending: false }, minWidth: 900,
      });
    }
    this.element.append(this.#topline.element, this.#charts.element, el("section", { class: "card", "aria-label": "retry budget" }, this.#budget.element));
    if (this.#routers) this.element.append(this.#routers.element);
    this.element.append(this.#services.element, this.#clients.element, this.#servers.element, this.#process.element, ...dtabs(place.router));
  }

  update(store: Store): void {
    const s = store.snapshot;
    if (!s) return;
    const whole = wholeOf(s, this.#router), mine = <R extends Row>(rows: R[]): R[] => (this.#router === undefined ? rows : rows.filter((r) => r.router === this.#router));
    const clients = mine(s.clients), services = mine(s.services);
    const t = this.#topline;
    t.set("requests", number(whole.requests));
    t.set("success", percent(whole.success), grade(whole.success));
    for (const p of ["p50", "p95", "p99"] as const) t.set(p, millis(whole.latency[p]));
    t.set("incoming", number(whole.incoming));
    t.set("outgoing", number(whole.outgoing));
    t.set("pending", number(whole.pending));
    t.set("retries", number(whole.retries));
    t.set("budget", number(whole.budget), whole.exhausted > 0 && whole.budget === 0 ? "bad" : "");
    this.#charts.update(store, whole, this.#routers ? s.routers : clients, (r) => ("name" in r ? (r as Client).name : r.id));
    this.#budget.update(this.#allowed(store), whole.requests, whole.retries, whole.budget, whole.exhausted);
    this.#routers?.update(s.routers);
    this.#services.update(services);
    this.#toggle.hidden = !clients.some((c) => c.prefix);
    this.#clients.update(clients);
    this.#servers.update(mine(s.servers));
    this.#process.update(s.process);
  }

  close(): void {
    this.#charts.close();
    for (const x of [this.#routers, this.#services, this.#clients, this.#servers]) x?.table.close();
  }

  /** allowed is the smallest share that a service of the router may retry, as its configuration says. */
  #allowed(store: Store): number {
    const shares = (store.endpoints?.routers ?? []).filter((r) => this.#router === undefined || r.router === this.#router)
      .flatMap((r) => (r.services ?? []).map((x) => x.retryBudget?.percentCanRetry)).filter((n) => n !== undefined);
    return shares.length ? Math.min(...shares) : usual;
  }
}

function wholeOf(s: Snapshot, router: string | undefined): RouterRow {
  if (router === undefined) return s.total;
  return s.routers.find((r) => r.id === router) ?? blank(router);
}
