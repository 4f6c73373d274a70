import assert from "node:assert/strict";
import { test } from "node:test";
import { left, rule, tight } from "../src/dash/budget.ts";
import { nines } from "../src/dash/nines.ts";
import { History } from "../src/dash/history.ts";
import { Busiest } from "../src/dash/lines.ts";
import { blank, Reader, splitClient } from "../src/dash/model.ts";
import { href, parse } from "../src/dash/place.ts";
import { bytes, duration, grade, millis, number, percent, short } from "../src/lib/format.ts";
import { at, counter, entries, gauge, Rates, stat } from "../src/lib/tree.ts";

const c = (n: number) => ({ counter: n }), g = (n: number) => ({ gauge: n });

function tree(requests: number, success: number, failures: number) {
  return {
    rt: {
      "a/b": {
        server: {
          "127.0.0.1/4140": { requests: c(requests), success: c(success), failures: { counter: failures, "x.Y": c(failures) }, connections: g(3), load: g(2), request_latency_ms: { "stat.count": 2, "stat.p50": 1, "stat.p99": 9 } },
          "127.0.0.1/4141": { requests: c(0), request_latency_ms: { "stat.count": 0 } },
        },
        service: { "svc/web": { requests: c(requests), retries: { total: c(requests / 10), budget: g(90), budget_exhausted: c(4) } }, "svc/pruned": {}, "svc/empty": { retries: {} } },
        client: {
          "%/io.l5d.port/1/#/io.l5d.fs/web": { connections: g(5), loadbalancer: { size: g(4), available: g(1) }, service: { "svc/web": { requests: c(1) } }, retries: { requeues: c(requests / 20) } },
          "no id": { requests: c(1) },
        },
      },
    },
    jvm: { uptime: g(1000), mem: { current: { used: g(5) } } },
  };
}

test("a reading gives rates from the second on, and percentiles of what there is", () => {
  const r = new Reader(), first = r.read(tree(100, 90, 10), 0);
  assert.equal(first.total.requests, undefined);
  assert.equal(first.total.success, undefined);
  const s = r.read(tree(300, 240, 60), 2000);
  assert.equal(s.total.requests, 100);
  assert.equal(s.total.ok, 75);
  assert.equal(s.total.failures, 25);
  assert.equal(s.total.success, 0.75);
  assert.deepEqual(s.total.latency, { p50: 1, p99: 9 });
  assert.equal(s.total.incoming, 3);
  assert.equal(s.total.outgoing, 5);
  assert.equal(s.total.pending, 2, "load is the old name of pending");
  assert.equal(s.total.retries, 10 + 5, "of services and clients");
  assert.equal(s.total.budget, 90);
  assert.equal(s.total.exhausted, 4);
  assert.deepEqual(s.routers.map((x) => x.id), ["a/b"]);
  assert.deepEqual(s.services.map((x) => x.id), ["/svc/web"], "what is pruned or has no metrics is not there");
  assert.deepEqual(s.clients.map(({ id, prefix, name, size, available, services }) => ({ id, prefix, name, size, available, services })), [
    { id: "/%/io.l5d.port/1/#/io.l5d.fs/web", prefix: "/%/io.l5d.port/1", name: "/#/io.l5d.fs/web", size: 4, available: 1, services: ["/svc/web"] },
  ]);
  assert.equal(s.process.uptime, 1000);
  const again = r.read(tree(10, 10, 0), 3000);
  assert.equal(again.total.requests, 0, "a process that began anew has not gone backwards");
});

test("clients' ids", () => {
  assert.deepEqual(splitClient("/#/io.l5d.fs/web"), { prefix: "", name: "/#/io.l5d.fs/web" });
  assert.deepEqual(splitClient("/$/inet/127.1/80"), { prefix: "", name: "/$/inet/127.1/80" });
  assert.equal(splitClient("/svc/web"), undefined);
  assert.equal(splitClient("interpreter"), undefined);
});

test("the tree", () => {
  const t = { a: { "b/c": { counter: 3, d: g(0) } }, s: { "stat.count": 1, "stat.p9990": 7 }, gone: { x: {} } };
  assert.equal(counter(t, "a", "b/c"), 3);
  assert.equal(counter(t, "a", "none"), 0);
  assert.equal(gauge(t, "a", "b/c", "d"), 0);
  assert.equal(gauge(t, "a"), undefined);
  assert.equal(at(t, "a", "b/c", "counter"), undefined);
  assert.deepEqual(stat(t, "s"), { count: 1, p9990: 7 });
  assert.deepEqual(entries(t).map(([k]) => k), ["a", "s"]);
});

test("rates forget what was not read", () => {
  const r = new Rates();
  r.begin(0);
  r.of("x", 1);
  r.begin(1000);
  r.begin(2000);
  assert.equal(r.of("x", 5), undefined);
});

test("the retry budget's thresholds", () => {
  assert.equal(left(0.2, 100, 5), 0.15000000000000002);
  assert.equal(left(0.2, 100, 50), 0);
  assert.equal(left(0.2, undefined, undefined), 0.2);
  assert.deepEqual([0.2, 0.16, 0.149, 0.1, 0.099, 0].map((x) => tight(0.2, x)), ["", "", "fair", "fair", "bad", "bad"]);
  assert.equal(tight(0, 0), "bad");
  assert.equal(rule({ balance: 1, percentCanRetry: 0.2, minRetriesPerSec: 10, ttlSecs: 10 }), "at least 10/s, over 10 s");
  assert.equal(rule({ balance: 1, percentCanRetry: 0.2, ttlSecs: 0.5 }), "over 0.5 s");
  assert.equal(rule(undefined), "");
});

test("the axis of success rates", () => {
  assert.deepEqual(nines(100), [99.99, 100.001]);
  const [low, high] = nines(90);
  assert.ok(low < 90 && low > 80 && high > 100);
  assert.equal(nines(0)[0], 0);
});

test("history is a ring, and forgets rows that are gone", () => {
  const h = new History(3);
  for (let i = 1; i <= 4; i++) h.push(i, i === 2 ? [["b", [9]]] : [["a", [i, i / 10]], ["b", [9]]]);
  assert.deepEqual(h.times(100), [2, 3, 4]);
  assert.deepEqual(h.times(1), [3, 4]);
  assert.deepEqual(h.values("a", "requests", 3), [null, 3, 4]);
  assert.deepEqual(h.values("a", "success", 2).map((v) => v?.toFixed(1)), ["0.3", "0.4"]);
  assert.deepEqual(h.values("none", "requests", 2), [null, null]);
  assert.deepEqual(h.sum(["a", "b", "none"], "requests", 3), [9, 12, 13]);
  assert.deepEqual(h.values("a", "requests", 5), [null, null, null, 3, 4], "more than there was");
  assert.deepEqual(h.sum(["a"], "requests", 5), [null, null, null, 3, 4]);
});

test("a row that comes back has nothing of before", () => {
  const h = new History(3);
  for (let i = 1; i <= 5; i++) h.push(i, i === 4 ? [] : [["a", [i]]]);
  assert.deepEqual(h.values("a", "requests", 3), [null, null, 5]);
});

test("lines: the busiest have one each, keep their colours, and the rest is one", () => {
  const h = new History(60), rows = Array.from({ length: 12 }, (_, i) => ({ ...blank(`r${i}`), key: `k${String(i).padStart(2, "0")}`, id: `r${i}` })), b = new Busiest();
  for (let t = 0; t < 40; t++) h.push(t, rows.map((r, i) => [r.key, [i === 0 && t > 20 ? 100 : i]]));
  const first = b.lines(rows, h, 5, (r) => r.id);
  assert.equal(first.length, 10);
  assert.ok(first.some((l) => l.label === "r0") && first.some((l) => l.label === "r11") && !first.some((l) => l.label === "r1"));
  assert.deepEqual(first.at(-1), { label: "3 others together", colour: "var(--other)", values: [6, 6, 6, 6, 6] });
  assert.equal(new Set(first.map((l) => l.colour)).size, 10);
  const kept = b.lines(rows.slice(1), h, 5, (r) => r.id); // r0 is gone
  for (const l of kept) {
    const had = first.find((x) => x.label === l.label);
    if (had && !l.label.includes("others")) assert.equal(l.colour, had.colour);
  }
  assert.ok(kept.some((l) => l.label === "r3"), "another one takes its place");
});

test("places are kept in the query", () => {
  const p = { router: "a/b", client: "/#/io.l5d.fs/web x", endpoint: "[::1]:80" };
  assert.ok(href(p).startsWith("./?router=a/b&client=/%23/io.l5d.fs/web+x"));
  assert.deepEqual(parse(href(p).slice(2)), p);
  assert.deepEqual(parse("?router=&x=1"), {});
  assert.equal(href({}), "./");
});

test("numbers as people read them", () => {
  assert.equal(number(undefined), "–");
  assert.equal(number(1234.5), "1,235");
  assert.equal(number(1.25), "1.3");
  assert.equal(millis(3.25), "3.3 ms");
  assert.equal(millis(12_000), "12 s");
  assert.equal(percent(1), "100%");
  assert.equal(percent(0.99999), "99.99%", "what is not whole never reads as whole");
  assert.equal(percent(0.5), "50.0%");
  assert.deepEqual([1, 0.99, 0.9899, 0.9, 0.89, undefined].map(grade), ["good", "good", "fair", "fair", "bad", ""]);
  assert.equal(duration(3_723_000), "1h 2m");
  assert.equal(duration(90_000_000), "1d 1h");
  assert.equal(duration(61_000), "1m 1s");
  assert.equal(bytes(1536), "1.5 KiB");
  assert.equal(bytes(3 * 2 ** 30), "3 GiB");
  assert.deepEqual([0, 999, 1200, 3_400_000, 2e9].map(short), ["0", "999", "1.2k", "3.4M", "2G"]);
});
