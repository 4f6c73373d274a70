import { el } from "../lib/dom.ts";
import { type Dentry, routers } from "../lib/page.ts";

/** dtabs are cards with the rules of a router, or of all of them, and the way to try them out. */
export function dtabs(router: string | undefined): HTMLElement[] {
  return routers().filter((r) => router === undefined || r.label === router).map((r) => {
    const card = el("details", { class: "card" }, el("summary", {}, el("h2", {}, `Dtab of ${r.label}`, el("small", {}, [r.protocol, ...r.servers].join(" · ")))), rules(r.dtab));
    if (r.stored) card.append(el("h3", {}, "Stored dtab ", el("small", {}, "the rules above win")), rules(r.stored));
    return card;
  });
}

function rules(dtab: Dentry[]): HTMLElement {
  if (!dtab.length) return el("p", { class: "none" }, "no rules");
  const body = el("tbody");
  for (const d of dtab) body.append(el("tr", {}, el("td", {}, d.prefix), el("td", { class: "arrow" }, "=>"), el("td", {}, d.dst)));
  return el("table", { class: "dtab" }, body);
}
