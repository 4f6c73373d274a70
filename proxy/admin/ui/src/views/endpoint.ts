import { clientOf } from "../dash/endpoints.ts";
import type { Place } from "../dash/place.ts";
import type { Store } from "../dash/store.ts";
import { Topline } from "../dash/topline.ts";
import { facts } from "../dash/why.ts";
import { Chart } from "../lib/chart.ts";
import { el, setText } from "../lib/dom.ts";
import { millis, millisTick, number } from "../lib/format.ts";
import type { View } from "./view.ts";

const spanS = 120;

/** EndpointView is one endpoint as the balancer sees it, from when the page was opened. */
export class EndpointView implements View {
  readonly element = el("div", { class: "stack" });
  readonly heading: string;
  readonly #place: Place;
  readonly #gone = el("p", { class: "card none" });
  readonly #why = el("p", { class: "why" });
  readonly #facts = el("dl", { class: "figures" });
  readonly #topline = new Topline([
    ["status", "status"], ["load", "load"], ["ewma", "EWMA of latencies"], ["pending", "pending"], ["weight", "weight"], ["open", "connections"], ["idle", "idle connections"], ["breaker", "breaker"],
  ]);
  readonly #load = new Chart({ label: "load", spanS });
  readonly #ewma = new Chart({ label: "EWMA of latencies", spanS, value: (n) => millis(n ?? undefined), tick: millisTick, axis: 58 });
  readonly #pending = new Chart({ label: "pending requests", spanS });
  readonly #times: number[] = [];
  readonly #values: Record<"load" | "ewma" | "pending", (number | null)[]> = { load: [], ewma: [], pending: [] };
  #last: unknown;

  constructor(place: Place) {
    this.#place = place;
    this.heading = place.endpoint ?? "";
    this.element.append(
      this.#gone, this.#topline.element,
      el("section", { class: "card", "aria-label": "why" }, el("h2", {}, "Why it is picked, or not"), this.#why, this.#facts),
      el("section", { class: "card charts", "aria-label": "charts" }, this.#load.element, this.#ewma.element, this.#pending.element),
    );
  }

  update(store: Store): void {
    const { router = "", client = "", endpoint } = this.#place;
    const c = clientOf(store.endpoints, router, client), e = c?.endpoints?.find((x) => x.address === endpoint);
    this.#gone.hidden = !!e;
    if (!c || !e) {
      setText(this.#gone, store.endpoints ? "This client has no such endpoint now." : "Reading …");
      return;
    }
    const t = this.#topline;
    t.set("status", e.status, { open: "good", busy: "fair", closed: "bad" }[e.status] ?? "");
    t.set("load", number(e.load));
    t.set("ewma", millis(e.ewmaMs));
    t.set("pending", number(e.pending));
    t.set("weight", number(e.weight));
    t.set("open", number(e.connections?.open));
    t.set("idle", number(e.connections?.idle));
    t.set("breaker", { open: "tripped", closed: "ok" }[e.breaker?.state ?? ""] ?? e.breaker?.state ?? "–", { open: "bad", closed: "good" }[e.breaker?.state ?? ""] ?? "");
    setText(this.#why, e.why);
    this.#show(facts(e, c));
    if (this.#last === store.endpoints) return; // only the metrics are new
    this.#last = store.endpoints;
    this.#times.push(performance.now() / 1000);
    this.#values.load.push(e.load);
    this.#values.ewma.push(e.ewmaMs);
    this.#values.pending.push(e.pending);
    if (this.#times.length > 2 * spanS) for (const list of [this.#times, ...Object.values(this.#values)]) list.shift();
    this.#load.update(this.#times, [{ label: "load", colour: "var(--s2)", values: this.#values.load }]);
    this.#ewma.update(this.#times, [{ label: "EWMA", colour: "var(--s0)", values: this.#values.ewma }]);
    this.#pending.update(this.#times, [{ label: "pending", colour: "var(--s1)", values: this.#values.pending }]);
  }

  close(): void {
    for (const c of [this.#load, this.#ewma, this.#pending]) c.close();
  }

  #show(known: [string, string][]): void {
    known.forEach(([name, text], i) => {
      const box = this.#facts.children[i] ?? this.#facts.appendChild(el("div", {}, el("dt"), el("dd")));
      setText(box.firstElementChild as Element, name);
      setText(box.lastElementChild as Element, text);
    });
    while (this.#facts.children.length > known.length) this.#facts.lastElementChild?.remove();
  }
}
