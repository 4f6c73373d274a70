import "../css/tools.css";
import { el, find, setText } from "../lib/dom.ts";
import { aborted, Fault, words } from "../lib/fault.ts";
import { millis, number } from "../lib/format.ts";
import { url } from "../lib/net.ts";
import { routers } from "../lib/page.ts";
import { problem, say } from "../lib/poll.ts";

// Live requests that match a filter, from the stream /tap.

interface Event {
  time: string; router: string; server?: string; peer?: string; protocol?: string; method: string; host?: string; path: string; service?: string; client?: string; endpoint?: string;
  attempts?: number; status?: number; class?: string; error?: string; latencyMs?: number; requestBytes?: number; responseBytes?: number;
  requestHeaders?: Record<string, string | string[]>; trace?: string; dropped?: number;
}

const most = 300; // rows that are kept

const router = el("select", { name: "router", "aria-label": "router" }, new Option("any router", ""));
for (const r of routers()) router.append(new Option(r.label, r.label));
const method = el("input", { name: "method", placeholder: "GET", "aria-label": "method", class: "short" });
const fields: [string, string, HTMLElement][] = [
  ["router", "router", router],
  ["service", "service", el("input", { name: "service", placeholder: "/svc/web", spellcheck: "false" })],
  ["path", "path", el("input", { name: "path", placeholder: "/api/*", spellcheck: "false" })],
  ["method", "method", method],
  ["status", "status", el("input", { name: "status", placeholder: "5xx", class: "short" })],
  ["header", "header", el("input", { name: "header", placeholder: "x-user: 42", spellcheck: "false" })],
  ["rate", "at most a second", el("input", { name: "rate", type: "number", min: 1, max: 1000, value: 50, class: "short" })],
];
const start = el("button", { type: "submit" }, "Start"), pause = el("button", { type: "button", class: "quiet", "aria-pressed": "false", disabled: true }, "Pause");
const clear = el("button", { type: "button", class: "quiet" }, "Clear");
const form = el("form", { class: "filter" }, ...fields.map(([, label, input]) => el("label", {}, el("span", {}, label), input)), el("span", { class: "buttons" }, start, " ", pause, " ", clear));
const counts = el("p", { class: "note", "data-part": "counts" }, "Nothing is tapped yet.");
const spoken = el("p", { class: "hidden", role: "status" });
const body = el("tbody");
const heads = ["time", "router", "method", "host and path", "service", "endpoint", "status", "latency"];
find("#view").replaceChildren(
  el("section", { class: "card" }, el("h2", {}, "Tap ", el("small", {}, "live requests that match all of it; an empty field matches any")), form, counts, spoken),
  el("section", { class: "card" }, el("div", { class: "scroll taps", tabindex: 0, role: "region", "aria-label": "tapped requests" },
    el("table", { class: "grid" }, el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col", class: h === "latency" ? "figure" : undefined }, h)))), body))));

let abort: AbortController | undefined, paused = false, seen = 0, dropped = 0, held: Event[] = [], frame = 0;

function count(): void {
  setText(counts, `${number(seen)} requests seen${dropped ? `, ${number(dropped)} more dropped by the limit of the rate` : ""}${held.length ? `, ${held.length} held back while paused` : ""}. The last ${most} are kept.`);
}

function row(e: Event): HTMLTableRowElement {
  const failed = !!e.error || (e.status ?? 0) >= 500;
  const more = el("button", { type: "button", class: "fold", "aria-expanded": "false", "aria-label": "details" }, "▸");
  const tr = el("tr", {}, el("td", { class: "mono" }, more, e.time.slice(11, 23)), el("td", {}, e.router), el("td", { class: "mono" }, e.method),
    el("td", { class: "mono" }, `${e.host ?? ""}${e.path}`), el("td", { class: "mono" }, e.service ?? ""), el("td", { class: "mono" }, e.endpoint ?? ""),
    el("td", {}, el("span", { class: `tag ${failed ? "bad" : "good"}` }, e.status ? String(e.status) : (e.error ?? e.class ?? "–"))), el("td", { class: "figure" }, millis(e.latencyMs)));
  let detail: HTMLTableRowElement | undefined;
  more.addEventListener("click", () => {
    const on = more.getAttribute("aria-expanded") !== "true";
    more.setAttribute("aria-expanded", String(on));
    setText(more, on ? "▾" : "▸");
    if (!on) detail?.remove();
    else tr.after(detail ??= el("tr", { class: "more" }, el("td", { colspan: heads.length }, details(e))));
  });
  return tr;
}

function details(e: Event): HTMLElement {
  const facts: [string, unknown][] = [["error", e.error], ["client", e.client], ["server", e.server], ["peer", e.peer], ["protocol", e.protocol], ["attempts", e.attempts], ["class", e.class],
    ["request bytes", e.requestBytes], ["response bytes", e.responseBytes], ["trace", e.trace], ...Object.entries(e.requestHeaders ?? {})];
  return el("dl", { class: "facts" }, ...facts.filter(([, v]) => v !== undefined && v !== "" && v !== null).map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", { class: "mono" }, String(v)))));
}

function flush(): void {
  frame = 0;
  if (paused) {
    held.splice(0, Math.max(0, held.length - most));
    count();
    return;
  }
  for (const e of held.splice(0).slice(-most)) body.prepend(row(e));
  while (body.rows.length > most) body.rows[body.rows.length - 1]?.remove();
  count();
}

function take(line: string): void {
  if (!line.trim()) return;
  const e = JSON.parse(line) as Event;
  if (e.dropped !== undefined && e.method === undefined) dropped += e.dropped;
  else {
    seen++;
    held.push(e);
  }
  frame ||= requestAnimationFrame(flush);
}

function running(on: boolean): void {
  setText(start, on ? "Stop" : "Start");
  pause.disabled = !on;
  say(on ? "live" : "idle", on ? "tapping" : "stopped");
  setText(spoken, on ? "Tapping has begun." : "Tapping has ended.");
}

async function tap(): Promise<void> {
  const q = new URLSearchParams();
  for (const [k, v] of new FormData(form)) if (typeof v === "string" && v.trim()) q.append(k, v.trim());
  abort = new AbortController();
  const { signal } = abort;
  running(true);
  problem("");
  try {
    const rep = await fetch(url(`tap?${q}`), { signal, headers: { Accept: "application/x-ndjson, application/json" } });
    if (!rep.ok || !rep.body) {
      const text = await rep.text();
      let said = text;
      try { said = (JSON.parse(text) as { error?: string }).error ?? text; } catch { /* it is text */ }
      throw new Fault(rep.status, { error: said.trim() || `tap: status ${rep.status}` });
    }
    const reader = rep.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    }
    take(rest);
  } catch (err) {
    if (!aborted(err)) problem(words(err));
  } finally {
    if (abort?.signal === signal) {
      abort = undefined;
      running(false);
    }
  }
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  if (abort) {
    abort.abort();
    abort = undefined;
    running(false);
  } else void tap();
});
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  setText(pause, paused ? "Resume" : "Pause");
  say(paused ? "paused" : "live", paused ? "paused" : "tapping");
  frame ||= requestAnimationFrame(flush);
});
clear.addEventListener("click", () => {
  body.replaceChildren();
  held = [];
  seen = dropped = 0;
  count();
});
for (const [k, v] of new URLSearchParams(location.search)) {
  const input = form.elements.namedItem(k);
  if (input instanceof HTMLInputElement || input instanceof HTMLSelectElement) input.value = v;
}
