// Changes of a namespace: what they are to rules, and to the names that are bound now.

import { el } from "./dom.ts";

export interface DiffRow { op: "same" | "added" | "removed" | "changed" | "moved"; prefix: string; dst: string; was?: string }
export interface Leaf { id: string; residual?: string; share: number; failover?: boolean; addr: string; endpoints: number }
export interface Result { state: string; text: string; error?: string; goes?: Leaf[] }
export interface Effect { name: string; local?: string; kind: "lost" | "found" | "rerouted" | "unknown" | "failing"; before: Result; after: Result }
export interface Effects { active: number; checked: number; changed: Effect[] }
export interface Preview {
  namespace: string; exists: boolean; version: string; stored: string; dtab: string; diff: DiffRow[]; theirs?: DiffRow[]; conflicts?: number[]; names?: Effects;
}

/** Change is one of the past. */
export interface Change { at: string; version?: string; author?: string; reason?: string; deleted?: boolean; dtab?: string }

/** when is a moment as it is shown. */
export function when(at: string): string {
  return `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

/** by says who has made a change, when and why. */
export function by(c: Change): string {
  return [c.author && `by ${c.author}`, `at ${when(c.at)}`, c.reason && `“${c.reason}”`].filter((s) => s).join(", ");
}

const signs = { same: " ", added: "+", removed: "−", changed: "±", moved: "↕" };

/** differs is whether a comparison has any change. */
export function differs(rows: DiffRow[]): boolean {
  return rows.some((r) => r.op !== "same");
}

/** diffTable shows a comparison; conflicts are rules of the outcome where two people have changed something. */
export function diffTable(label: string, rows: DiffRow[], conflicts: number[] = []): HTMLElement {
  const body = el("tbody");
  let place = 0;
  for (const r of rows) {
    const here = r.op !== "removed" && conflicts.includes(place);
    if (r.op !== "removed") place++;
    const dst = el("td", {}, r.was !== undefined && el("del", {}, r.was), r.was !== undefined && " ", r.op === "changed" ? el("ins", {}, r.dst) : r.dst);
    if (here) dst.append(" ", el("span", { class: "tag bad" }, "changed by both: check it"));
    body.append(el("tr", { class: r.op, "data-op": r.op },
      el("td", { class: "sign" }, el("span", { "aria-hidden": "true" }, signs[r.op]), el("span", { class: "hidden" }, r.op)), el("td", {}, r.prefix), el("td", { class: "arrow" }, "=>"), dst));
  }
  if (!rows.length) body.append(el("tr", {}, el("td", { class: "none" }, "no rules")));
  return el("table", { class: "dtab diff", "aria-label": label }, body);
}

const kinds = {
  lost: ["bad", "would fail"], found: ["good", "would work"], rerouted: ["fair", "goes elsewhere"], unknown: ["fair", "not known in time"], failing: ["", "fails differently"],
} as const;
const order = ["lost", "unknown", "rerouted", "failing", "found"];

function resultText(r: Result): HTMLElement {
  if (!r.goes?.length) return el("span", { class: "mono" }, r.text);
  return el("ul", { class: "goes" }, ...r.goes.map((l) => {
    const count = l.addr === "bound" ? `${l.endpoints} endpoint${l.endpoints === 1 ? "" : "s"}` : { neg: "no such name", failed: "its endpoints are not known", pending: "endpoints not known yet" }[l.addr] ?? l.addr;
    const share = l.failover ? "if that fails: " : l.share < 0.9995 ? `${Math.round(l.share * 1000) / 10} % ` : "";
    return el("li", {}, share, el("span", { class: "mono" }, l.id + (l.residual ?? "")), " ", el("span", { class: `note-in ${l.addr === "bound" && l.endpoints > 0 ? "" : "bad"}` }, count));
  }));
}

/** effectsView says what a change would do for the names that are bound now. */
export function effectsView(e: Effects): HTMLElement {
  const box = el("div", { class: "effects" });
  const of = e.checked < e.active ? `${e.checked} of the ${e.active} names` : e.active === 1 ? "The one name" : `${e.active} names`;
  if (e.active === 0) {
    box.append(el("p", { class: "note" }, "No name is being bound in this namespace through this namerd now, so there is no traffic to compare."));
    return box;
  }
  if (!e.changed.length) {
    box.append(el("p", {}, el("span", { class: "tag good" }, "no effect"), ` ${of} being bound now keep${e.active === 1 ? "s" : ""} going where they go.`));
    return box;
  }
  const n = e.changed.length;
  box.append(el("p", {}, el("span", { class: `tag ${e.changed.some((c) => c.kind === "lost") ? "bad" : "fair"}` }, `${n} changed`), ` Of ${of.toLowerCase()} being bound now, ${n === 1 ? "one goes" : `${n} go`} elsewhere or nowhere:`));
  const body = el("tbody");
  for (const c of [...e.changed].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))) {
    const [grade, text] = kinds[c.kind];
    body.append(el("tr", { "data-kind": c.kind },
      el("th", { scope: "row", class: "mono" }, c.name, c.local ? el("div", { class: "note" }, `with ${c.local}`) : false),
      el("td", {}, el("span", { class: `tag ${grade}` }, text)), el("td", {}, resultText(c.before)), el("td", {}, resultText(c.after))));
  }
  box.append(el("div", { class: "wide" }, el("table", { class: "grid", "aria-label": "what would change for current traffic" },
    el("thead", {}, el("tr", {}, ...["name", "effect", "now", "then"].map((h) => el("th", { scope: "col" }, h)))), body)));
  return box;
}
