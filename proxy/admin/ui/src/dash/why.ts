import { millis, number, percent } from "../lib/format.ts";
import type { ClientEndpoints, Endpoint } from "./endpoints.ts";

// Why an endpoint is or is not picked, beyond the sentence that the server has for it.

/** breakerWord says what a breaker lets through, in words that the endpoint's own status does not use. */
export function breakerWord(e: Endpoint): string {
  const b = e.breaker;
  if (e.failFast) return `no connection${e.failFast.retryInMs > 0 ? `, tried in ${millis(e.failFast.retryInMs)}` : ", tried now"}`;
  if (!b?.state) return "–";
  if (b.state === "open") return `tripped${b.retryInMs > 0 ? `, probe in ${millis(b.retryInMs)}` : ""}`;
  return b.state === "closed" ? (b.failures ? `ok, ${b.failures} failed` : "ok") : b.state;
}

/** pickedWord is the sentence in a word. */
export function pickedWord(e: Endpoint): "yes" | "no" | "outside" {
  return e.pickable ? "yes" : outside(e) ? "outside" : "no";
}

/** outside says that the balancer's window leaves the endpoint out, which has traffic to give. */
function outside(e: Endpoint): boolean {
  return e.inAperture === false && !!e.weightClass;
}

/** facts are what the sentence is made from, name by name. */
export function facts(e: Endpoint, c: ClientEndpoints): [name: string, text: string][] {
  const b = e.breaker, f = e.failFast, w = e.weightClass;
  const all: [string, string | undefined | null | false | 0][] = [
    ["picked", e.pickable ? "can be" : "cannot be"],
    ["balancer", c.balancer],
    ["aperture", c.aperture && w ? `${outside(e) ? "outside" : "inside"}: ${c.aperture} of ${w.size} endpoints` : outside(e) && "outside the rotation"],
    ["weight class", w && w.share < 1 && `${percent(w.share)} of the traffic for ${count(w.size, "endpoint")} of weight ${number(w.weight)}, ${w.available} of them available`],
    ["weight class", !w && e.weight === 0 && "none: weight 0 gets no traffic"],
    ["breaker policy", b?.policy],
    ["counts against it", b?.standing || (b?.failures ? count(b.failures, "failure") : undefined)],
    ["tripped for", b?.openForMs ? millis(b.openForMs) : undefined],
    ["next probe in", b?.retryInMs ? millis(b.retryInMs) : undefined],
    ["fail-fast", f?.error],
    ["no connection for", f && `${millis(f.downForMs)}, ${count(f.failedProbes, "probe")} failed since`],
    ["connects again in", f && (f.retryInMs > 0 ? millis(f.retryInMs) : "now")],
    ...Object.entries(e.metadata ?? {}).map(([k, v]): [string, string] => [k, typeof v === "string" ? v : JSON.stringify(v)]),
  ];
  return all.filter((x): x is [string, string] => !!x[1]);
}

function count(n: number, of: string): string {
  return `${number(n)} ${of}${n === 1 ? "" : "s"}`;
}
