import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, matches } from "../src/lib/order.ts";
import { slice } from "../src/lib/window.ts";

test("what is unknown comes last, both ways", () => {
  const rows = [2, undefined, 10, 1];
  assert.deepEqual([...rows].sort((a, b) => compare(a, b, false)), [1, 2, 10, undefined]);
  const sorted = (d: boolean) => rows.map((v) => ({ v })).sort((a, b) => compare(a.v, b.v, d)).map((r) => r.v);
  assert.deepEqual(sorted(false), [1, 2, 10, undefined]);
  assert.deepEqual(sorted(true), [10, 2, 1, undefined]);
  assert.ok(compare("a", "b", false) < 0);
  assert.ok(compare("a", "b", true) > 0);
});

test("every word has to match", () => {
  assert.ok(matches("/svc/Web-Front", "front WEB"));
  assert.ok(matches("/svc/web", ""));
  assert.ok(!matches("/svc/web", "web x"));
});

test("a slice has what is in sight and leaves the height as it is", () => {
  assert.deepEqual(slice(0, 34, 0, 600, 6), { first: 0, end: 0, top: 0, bottom: 0 });
  assert.deepEqual(slice(3, 10, 0, 600, 6), { first: 0, end: 3, top: 0, bottom: 0 });
  assert.deepEqual(slice(500, 10, 1000, 100, 2), { first: 98, end: 112, top: 980, bottom: 3880 });
  assert.deepEqual(slice(500, 10, 99999, 100, 2), { first: 497, end: 500, top: 4970, bottom: 0 });
});

test("open details count", () => {
  // row 0, its detail of 100, row 1, …
  const s = slice(10, 10, 110, 20, 0, [0], 100);
  assert.deepEqual(s, { first: 1, end: 3, top: 110, bottom: 70 });
  const inside = slice(10, 10, 50, 20, 0, [0], 100);
  assert.equal(inside.first, 0);
  assert.equal(inside.top + inside.bottom + inside.end * 10 + 100, 200);
});
