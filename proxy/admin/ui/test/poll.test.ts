import assert from "node:assert/strict";
import { test } from "node:test";
import { after } from "../src/lib/poll.ts";

test("failures make it ask less and less often, at least every 15 s", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map((n) => after(n, 1000)), [1000, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.equal(after(1, 5000), 5000);
  assert.equal(after(1, 200), 1000);
});
