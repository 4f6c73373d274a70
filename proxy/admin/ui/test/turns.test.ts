import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../src/lib/turns.ts";

test("one thing a frame, in order, each once, and what is forgotten not at all", () => {
  const frames: (() => void)[] = [], done: string[] = [];
  globalThis.requestAnimationFrame = (f) => frames.push(f as () => void);
  const turns = new Turns(), a = () => done.push("a"), b = () => done.push("b"), c = () => done.push("c");
  for (const f of [a, b, a, c]) turns.ask(f);
  turns.forget(b);
  assert.equal(frames.length, 1);
  frames.shift()?.();
  assert.deepEqual(done, ["a"]);
  turns.ask(a);
  frames.shift()?.();
  assert.deepEqual(done, ["a", "c"]);
  frames.shift()?.();
  assert.deepEqual(done, ["a", "c", "a"]);
  assert.equal(frames.length, 0, "and then it rests");
});
