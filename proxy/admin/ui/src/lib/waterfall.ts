// A trace as a waterfall: the spans under one another, and when each was.

import { el } from "./dom.ts";

export interface Span {
  id: string;
  parent?: string;
  kind: string;
  name: string;
  startUs: number;
  durationUs: number;
  annotations: { atUs: number; value: string }[];
  tags: { key: string; value: string }[];
}

export interface Trace { id: string; spans: Span[] }

export interface Placed { span: Span; depth: number }

/** place puts spans below their parents, each level in the order of time. A span whose parent is not there stands at the top. */
export function place(spans: Span[]): Placed[] {
  const ids = new Set(spans.map((s) => s.id)), below = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const s of [...spans].sort((a, b) => a.startUs - b.startUs)) {
    if (s.parent && s.parent !== s.id && ids.has(s.parent)) below.set(s.parent, [...(below.get(s.parent) ?? []), s]);
    else roots.push(s);
  }
  const all: Placed[] = [], seen = new Set<Span>();
  const walk = (s: Span, depth: number): void => {
    if (seen.has(s)) return;
    seen.add(s);
    all.push({ span: s, depth });
    for (const k of below.get(s.id) ?? []) walk(k, depth + 1);
  };
  for (const s of roots) walk(s, 0);
  for (const s of spans) walk(s, 0); // those in a circle
  return all;
}

/** micros writes a time in the unit that suits it. */
export function micros(us: number): string {
  if (us < 1000) return `${us} µs`;
  return us < 1_000_000 ? `${Math.round(us / 10) / 100} ms` : `${Math.round(us / 1e4) / 100} s`;
}

export function ends(spans: Span[]): { from: number; to: number } {
  return { from: Math.min(...spans.map((s) => s.startUs)), to: Math.max(...spans.map((s) => s.startUs + s.durationUs)) };
}

export function failed(s: Span): boolean {
  return s.annotations.some((a) => a.value === "l5d.failure") || s.tags.some((t) => t.key === "io.buoyant.router.Failure" || (t.key === "http.status_code" && t.value >= "500"));
}

/** waterfall draws a trace; each span opens to its tags and annotations. */
export function waterfall(t: Trace): HTMLElement {
  const { from, to } = ends(t.spans), whole = Math.max(1, to - from);
  const list = el("ol", { class: "waterfall", "aria-label": `spans of trace ${t.id}` });
  for (const { span: s, depth } of place(t.spans)) {
    const bar = el("i", { class: failed(s) ? "bad" : s.kind });
    bar.style.left = `${(100 * (s.startUs - from)) / whole}%`;
    bar.style.width = `${Math.max(0.4, (100 * s.durationUs) / whole)}%`;
    const ticks = s.annotations.map((a) => {
      const tick = el("u", { title: `${a.value} at ${micros(a.atUs - from)}` });
      tick.style.left = `${Math.max(0, Math.min(100, (100 * (a.atUs - from)) / whole))}%`;
      return tick;
    });
    const name = el("span", { class: "name" }, el("span", { class: "tag" }, s.kind), " ", s.name || "(no name)");
    name.style.paddingInlineStart = `${depth * 14}px`;
    const open = el("summary", {}, name, el("span", { class: "track", "aria-hidden": "true" }, bar, ...ticks), el("span", { class: "took" }, micros(s.durationUs)));
    const facts = el("div", { class: "facts" },
      el("table", { class: "grid" }, el("caption", {}, "tags"), el("tbody", {}, ...s.tags.map((g) => el("tr", {}, el("th", { scope: "row" }, g.key), el("td", { class: "mono" }, g.value))))),
      el("table", { class: "grid" }, el("caption", {}, "annotations"), el("tbody", {}, ...s.annotations.map((a) => el("tr", {}, el("th", { scope: "row" }, a.value), el("td", {}, `+${micros(a.atUs - from)}`))))),
      el("p", { class: "note mono" }, `span ${s.id}${s.parent ? `, part of ${s.parent}` : ""}`));
    list.append(el("li", {}, el("details", {}, open, facts)));
  }
  return list;
}
