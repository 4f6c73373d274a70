import "../css/tools.css";
import { el, find, setText } from "../lib/dom.ts";
import { url } from "../lib/net.ts";
import "../lib/page.ts";
import { Poller, say } from "../lib/poll.ts";
import { type Column, searchBox, Table } from "../lib/table.ts";
import { ends, failed, micros, type Trace, waterfall } from "../lib/waterfall.ts";

// The latest requests that were traced, and the spans of each.

interface Recent { time: string; source: string; server: string; router: string; logical: string; concrete: string; destination: string; trace: string }

function play(router: string, name: string, td: HTMLTableCellElement): undefined {
  const to = `${url("delegator")}?router=${encodeURIComponent(router)}#${encodeURI(name)}`;
  const a = td.querySelector("a") ?? td.appendChild(el("a"));
  a.setAttribute("href", to);
  setText(a, name);
  td.title = name;
}

const columns: Column<Recent>[] = [
  { id: "time", head: "Timestamp", width: 2.2, text: true, by: (r) => r.time, cell: (r) => new Date(r.time).toISOString().replace("T", " ").replace("Z", "") },
  { id: "source", head: "Source", width: 1.4, text: true, by: (r) => r.source, cell: (r) => r.source },
  { id: "server", head: "Server", width: 1.3, text: true, by: (r) => r.server, cell: (r) => r.server },
  { id: "router", head: "Router", width: 0.9, text: true, by: (r) => r.router, cell: (r) => r.router },
  { id: "logical", head: "Logical Name", width: 1.7, text: true, by: (r) => r.logical, cell: (r, td) => play(r.router, r.logical, td) },
  { id: "concrete", head: "Concrete Name", width: 2, text: true, by: (r) => r.concrete, cell: (r, td) => play(r.router, r.concrete, td) },
  { id: "destination", head: "Destination", width: 1.4, text: true, by: (r) => r.destination, cell: (r) => r.destination },
  {
    id: "trace", head: "Trace", width: 0.8, text: true,
    cell: (r, td) => {
      const b = td.querySelector("button") ?? td.appendChild(el("button", { type: "button", class: "quiet small", onclick: (e) => show((e.currentTarget as HTMLElement).dataset.trace ?? "") }, "show"));
      b.dataset.trace = r.trace;
      b.setAttribute("aria-label", `show trace ${r.trace}`);
      return undefined;
    },
  },
];

const table = new Table<Recent>({
  label: "recent requests", columns, key: (r) => `${r.time} ${r.trace} ${r.router} ${r.source}`, search: (r) => Object.values(r).join(" "),
  empty: "no requests recorded", sort: { id: "time", descending: true }, minWidth: 1100,
});
const pause = el("button", { type: "button", class: "quiet", "aria-pressed": "false" }, "Pause");
const traces = el("div", { class: "traces" });
find("#view").replaceChildren(
  el("section", { class: "card" }, el("div", { class: "headline" }, el("h2", {}, "Recent requests"), el("span", { class: "right" }, pause), searchBox(table, "search requests")), table.element),
  el("section", { class: "card" }, el("h2", {}, "Traces ", el("small", {}, "newest first; a trace, and each of its spans, opens")), traces));

const open = new Map<string, HTMLDetailsElement>(), drawn = new Map<string, number>();

function show(id: string): void {
  const d = open.get(id);
  if (!d) return;
  d.open = true;
  d.scrollIntoView({ block: "start" });
  d.querySelector("summary")?.focus();
}

function showTrace(t: Trace): HTMLDetailsElement {
  const d = open.get(t.id) ?? el("details", { class: "trace", "data-trace": t.id }, el("summary"));
  open.set(t.id, d);
  if (drawn.get(t.id) === t.spans.length) return d;
  drawn.set(t.id, t.spans.length);
  const { from, to } = ends(t.spans), first = [...t.spans].sort((a, b) => a.startUs - b.startUs)[0];
  find("summary", d).replaceChildren(el("b", { class: "mono" }, first?.name ?? ""), " ", el("span", { class: "count" }, `${t.spans.length} spans · ${micros(to - from)} · ${new Date(from / 1000).toISOString().slice(11, 23)} · ${t.id}`),
    ...(t.spans.some(failed) ? [" ", el("span", { class: "tag bad" }, "failure")] : []));
  const old = d.querySelector(".waterfall"), made = waterfall(t);
  if (old) old.replaceWith(made);
  else d.append(made);
  return d;
}

function update(data: { requests: Recent[]; traces: Trace[] }): void {
  table.update(data.requests);
  const wanted = data.traces.map(showTrace), kept = new Set(data.traces.map((t) => t.id));
  for (const [id, d] of open) {
    if (kept.has(id)) continue;
    d.remove();
    open.delete(id);
    drawn.delete(id);
  }
  let next = traces.firstChild;
  for (const d of wanted) {
    if (d === next) next = d.nextSibling;
    else traces.insertBefore(d, next);
  }
  if (!wanted.length && !traces.firstChild) traces.append(el("p", { class: "none" }, "no traces recorded yet"));
  else if (wanted.length) traces.querySelector(".none")?.remove();
}

let poller: Poller<{ requests: Recent[]; traces: Trace[] }> | undefined;
function follow(on: boolean): void {
  poller?.close();
  poller = on ? new Poller({ path: "requests.json", everyMs: 2000, onData: update }) : undefined;
  pause.setAttribute("aria-pressed", String(!on));
  setText(pause, on ? "Pause" : "Resume");
  if (!on) say("paused", "paused");
}
pause.addEventListener("click", () => follow(!poller));
follow(true);
