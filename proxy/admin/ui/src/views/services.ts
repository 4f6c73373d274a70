import { Charts } from "../dash/charts.ts";
import { latencies, pending, retries, traffic } from "../dash/columns.ts";
import { type RouterRow, type Service } from "../dash/model.ts";
import { href, type Place } from "../dash/place.ts";
import { Section } from "../dash/section.ts";
import type { Store } from "../dash/store.ts";
import { el, setText } from "../lib/dom.ts";
import { routers } from "../lib/page.ts";
import type { View } from "./view.ts";

/** ServicesView is the page of services: per router its services and what each of them gets. */
export class ServicesView implements View {
  readonly element = el("div", { class: "stack" });
  readonly heading = "Services";
  readonly #place: Place;
  readonly #parts = new Map<string, { element: HTMLElement; charts: Charts; section: Section<Service> }>();
  readonly #none = el("p", { class: "card none" });

  constructor(place: Place) {
    this.#place = place;
    this.element.append(this.#none);
    for (const r of routers()) this.#part(r.label);
  }

  update(store: Store): void {
    const s = store.snapshot;
    if (!s) return;
    for (const r of s.routers) this.#show(store, r, s.services.filter((x) => x.router === r.id));
    this.#none.hidden = this.#parts.size > 0;
    setText(this.#none, "No routers.");
  }

  close(): void {
    for (const p of this.#parts.values()) {
      p.charts.close();
      p.section.table.close();
    }
  }

  #show(store: Store, r: RouterRow, services: Service[]): void {
    const part = this.#part(r.id);
    part?.section.update(services);
    part?.charts.update(store, r, services, (x) => x.id);
  }

  #part(label: string): { charts: Charts; section: Section<Service> } | undefined {
    if (this.#place.router !== undefined && this.#place.router !== label) return undefined;
    let part = this.#parts.get(label);
    if (!part) {
      const charts = new Charts("service");
      const section = new Section<Service>({
        title: "Services", title1: "service", name: (x) => x.id, link: (x) => href({ router: x.router, service: x.id }), columns: [...traffic, ...retries, pending, ...latencies],
        empty: "no services yet", sort: { id: "requests", descending: true }, minWidth: 980,
      });
      const element = el("section", { class: "stack", "aria-label": `services of ${label}` }, el("h2", { class: "group" }, label), charts.element, section.element);
      part = { element, charts, section };
      this.#parts.set(label, part);
      this.element.append(element);
    }
    return part;
  }
}
