import { type Asked, type Answered } from "./metrics.ts";
import type { Node } from "../lib/tree.ts";
import { Reader } from "./model.ts";

// Reads the metrics beside the page, which hundreds of services would keep from drawing.

const reader = new Reader(), asked = new Map<number, AbortController>();

addEventListener("message", (e: MessageEvent<Asked>) => {
  const { id, url } = e.data;
  if (url === undefined) asked.get(id)?.abort();
  else void answer(id, url);
});

async function answer(id: number, url: string): Promise<void> {
  const abort = new AbortController();
  asked.set(id, abort);
  let a: Answered;
  try {
    const rep = await fetch(url, { signal: abort.signal });
    if (!rep.ok) throw new Error(`status ${rep.status}`);
    const tree = (await rep.json()) as Node;
    a = { id, snapshot: reader.read(tree, performance.timeOrigin + performance.now()) };
  } catch (err) {
    a = { id, problem: err instanceof Error ? err.message : String(err) };
  }
  asked.delete(id);
  postMessage(a);
}
