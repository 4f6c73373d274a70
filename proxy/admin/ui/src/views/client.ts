import { fillBar } from "../dash/bar.ts";
import { RetryBudget, usual } from "../dash/budget.ts";
import { Charts } from "../dash/charts.ts";
import { clientOf, type Endpoint } from "../dash/endpoints.ts";
import { splitClient } from "../dash/model.ts";
import { href, type Place } from "../dash/place.ts";
import { Section } from "../dash/section.ts";
import type { Store } from "../dash/store.ts";
import { Topline } from "../dash/topline.ts";
import { breakerWord, pickedWord } from "../dash/why.ts";
import { el, setAttribute, setText } from "../lib/dom.ts";
import { grade, millis, number, percent } from "../lib/format.ts";
import { served } from "../lib/net.ts";
import { lastWindow } from "../lib/page.ts";
import type { Column } from "../lib/table.ts";
import type { View } from "./view.ts";

type Row = Endpoint & { key: string };

/** tagged draws a word in the colour of what it means. */
export function tagged(td: HTMLElement, text: string): undefined {
  const tag = td.querySelector(".tag") ?? td.appendChild(el("span"));
  setText(tag, text);
  setAttribute(tag, "class", `tag ${{ open: "good", closed: "bad", busy: "fair", yes: "good", no: "bad", outside: "fair" }[text] ?? ""}`);
}

const columns: Column<Row>[] = [
  { id: "status", head: "status", width: 0.8, text: true, by: (r) => r.status, cell: (r, td) => tagged(td, r.status) },
  { id: "picked", head: "picked", title: "whether a request may be sent to it now; outside is not in the balancer's aperture or rotation", width: 0.8, text: true, by: pickedWord, cell: (r, td) => tagged(td, pickedWord(r)) },
  { id: "load", head: "load", width: 0.7, title: "what the balancer compares", by: (r) => r.load, cell: (r) => number(r.load) },
  { id: "ewma", head: "EWMA", title: "moving average of latencies, now; balancers that do not go by latency have none", by: (r) => r.ewmaMs || undefined, cell: (r) => millis(r.ewmaMs || undefined) },
  { id: "pending", head: "pending", width: 0.8, title: "requests under way", by: (r) => r.pending, cell: (r) => number(r.pending) },
  { id: "weight", head: "weight", width: 0.8, title: "the larger, the more traffic; 0 gets none beside others", by: (r) => r.weight, cell: (r) => number(r.weight) },
  { id: "connections", head: "conns", width: 0.7, title: "open connections", by: (r) => r.connections?.open, cell: (r) => number(r.connections?.open) },
  { id: "breaker", head: "breaker", width: 2.2, text: true, by: breakerWord, cell: breakerWord },
  { id: "why", head: "why it is picked, or not", width: 5, text: true, cell: (r, td) => { setText(td, r.why); setAttribute(td, "title", r.why); return undefined; } },
];

/** ClientView is one client: a bound name with its endpoints. */
export class ClientView implements View {
  readonly element = el("div", { class: "stack" });
  readonly heading: string;
  readonly #place: Place;
  readonly #gone = el("p", { class: "card none" });
  readonly #topline = new Topline([
    ["requests", "requests/s"], ["success", "success rate"], ["p50", `p50 · ${lastWindow}`], ["p95", `p95 · ${lastWindow}`], ["p99", `p99 · ${lastWindow}`], ["max", `max · ${lastWindow}`],
    ["connections", "connections"], ["pending", "pending"], ["retries", "requeues/s"],
  ]);
  readonly #charts = new Charts("client");
  readonly #budget = new RetryBudget();
  readonly #availableText = el("span");
  readonly #availableBar = el("span", { class: "bar", role: "meter", "aria-label": "endpoints available", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
  readonly #state = el("span", { class: "note" });
  readonly #endpoints: Section<Row>;
  readonly #services = el("p", { class: "links" });

  constructor(place: Place) {
    this.#place = place;
    this.heading = splitClient(place.client ?? "")?.name ?? place.client ?? "";
    this.#endpoints = new Section<Row>({
      title: "Endpoints", title1: "endpoint", name: (r) => r.address, link: (r) => href({ ...place, endpoint: r.address }), columns, note: "live",
      empty: served("endpoints.json") ? "no endpoints" : "this server does not let the table of endpoints out", sort: { id: "name", descending: false }, minWidth: 1080,
    });
    this.element.append(
      this.#gone, this.#topline.element, this.#charts.element,
      el("section", { class: "card pair", "aria-label": "availability and budget" }, el("div", { class: "budget" }, this.#availableText, this.#availableBar, this.#state), this.#budget.element),
      this.#endpoints.element, el("section", { class: "card", "aria-label": "services of this client" }, el("h2", {}, "Services that use it"), this.#services),
    );
  }

  update(store: Store): void {
    const { router = "", client = "" } = this.#place, c = store.snapshot?.clients.find((x) => x.router === router && x.id === client);
    const more = clientOf(store.endpoints, router, client);
    this.#gone.hidden = !!c || !!more;
    if (!c && !more) setText(this.#gone, store.snapshot ? "There is no such client now: it had no requests for a while, or its name is bound to something else." : "Reading …");
    this.#endpoints.update((more?.endpoints ?? []).map((e) => ({ ...e, key: e.address })));
    const size = more?.size ?? c?.size, free = more?.available ?? c?.available, share = size ? (free ?? 0) / size : 0;
    setText(this.#availableText, `Endpoints available ${number(free)} / ${number(size)}`);
    fillBar(this.#availableBar, share, share < 0.5 ? "fair" : "");
    setAttribute(this.#availableBar, "aria-valuenow", String(Math.round(100 * share)));
    setText(this.#state, more ? [more.state, more.aperture ? `${more.balancer} of ${more.aperture}` : more.balancer, more.status !== "open" && `client is ${more.status}`].filter((x) => x).join(" · ") : "");
    if (!c) return;
    const t = this.#topline;
    t.set("requests", number(c.requests));
    t.set("success", percent(c.success), grade(c.success));
    for (const p of ["p50", "p95", "p99", "max"] as const) t.set(p, millis(c.latency[p]));
    t.set("connections", number(c.connections));
    t.set("pending", number(c.pending));
    t.set("retries", number(c.retries));
    this.#charts.update(store, c, [c], () => c.name);
    this.#budget.update(more?.requeueBudget?.percentCanRetry ?? usual, c.requests, c.retries, more?.requeueBudget?.balance ?? c.budget, c.exhausted, more?.requeueBudget);
    this.#links(c.services);
  }

  close(): void {
    this.#charts.close();
    this.#endpoints.table.close();
  }

  #links(services: string[]): void {
    const shown = services.slice(0, 50);
    if (this.#services.dataset.of === shown.join("\n")) return;
    this.#services.dataset.of = shown.join("\n");
    this.#services.replaceChildren(...shown.flatMap((s) => [el("a", { class: "mono", href: href({ router: this.#place.router ?? "", service: s }) }, s), " "]), services.length > shown.length ? `and ${services.length - shown.length} more` : "");
  }
}
