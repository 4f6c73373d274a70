// Asking /delegator.json and drawing its answer.

import { el } from "./dom.ts";
import { Problem } from "./net.ts";
import type { Dentry } from "./page.ts";

export interface Addr { type: "bound" | "neg" | "pending" | "failed"; cause?: string; addrs: { ip: string; port: number }[] }
export interface Bound { id: string; path: string; addr: Addr }
export interface Delegation {
  type: string;
  path: string;
  dentry?: Dentry;
  delegate?: Delegation;
  tree?: Delegation;
  alt?: Delegation[];
  union?: { weight: number; tree: Delegation }[];
  bound?: Bound;
  name?: string;
  message?: string;
}

const kinds: Record<string, string> = {
  delegate: "Possible Resolution Path",
  alt: "Several Possible Resolution Paths",
  union: "Several Simultaneous Resolution Paths",
  transformation: "Transformation",
  neg: "No Further Branch Matches",
  fail: "Explicit Failure",
  empty: "No Endpoints, on purpose",
  exception: "Exception",
};

export async function explain(namespace: string, dtab: string, path: string): Promise<Delegation> {
  const rep = await fetch(document.body.dataset.delegator ?? "./delegator.json", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ namespace, dtab, path }),
  });
  if (!rep.ok) throw new Problem(rep.status, (await rep.text()) || `status ${rep.status}`);
  return rep.json() as Promise<Delegation>;
}

interface Kid { tree: Delegation; weight?: number }

function kids(node: Delegation): Kid[] {
  switch (node.type) {
    case "delegate": return node.delegate ? [{ tree: node.delegate }] : [];
    case "transformation": return node.tree ? [{ tree: node.tree }] : [];
    case "alt": return (node.alt ?? []).map((tree) => ({ tree }));
    case "union": return node.union ?? [];
    default: return [];
  }
}

type Outcome = "ok" | "neg" | "stop";

/** outcome says what comes of a branch: requests go there ("ok"), they go on to the next one ("neg"), or they fail here ("stop"). */
export function outcome(node: Delegation): Outcome {
  const below = kids(node).map((k) => outcome(k.tree));
  switch (node.type) {
    case "leaf": return node.bound?.addr.type === "bound" ? "ok" : node.bound?.addr.type === "neg" ? "neg" : "stop";
    case "empty": return "ok";
    case "fail": case "exception": return "stop";
    case "alt": return below.find((o) => o !== "neg") ?? "neg";
    default: return (["ok", "stop"] as const).find((o) => below.includes(o)) ?? "neg";
  }
}

function addrText(addr: Addr): string {
  if (addr.type !== "bound") return addr.type + (addr.cause ? `: ${addr.cause}` : "");
  if (!addr.addrs.length) return "no endpoints";
  const shown = addr.addrs.slice(0, 20).map((a) => `${a.ip.includes(":") ? `[${a.ip}]` : a.ip}:${a.port}`).join("  ");
  return addr.addrs.length > 20 ? `${shown}  and ${addr.addrs.length - 20} more` : shown;
}

/** draw returns the tree as nested lists. onPick is called with the dentry of a node that was clicked. */
export function draw(root: Delegation, onPick?: (d: Dentry | undefined) => void): HTMLElement {
  return el("ul", { class: "tree" }, drawNode(root, true, undefined, onPick));
}

function drawNode(node: Delegation, used: boolean, weight?: number, onPick?: (d: Dentry | undefined) => void): HTMLElement {
  const ok = outcome(node) === "ok";
  const box = el("button", { type: "button", class: `node ${!ok ? "bad" : used ? "good" : ""}` });
  let kind = kinds[node.type] ?? node.type;
  if (node.type === "leaf") kind = node.bound?.path === "/" ? "Bound Path" : "Namer Match";
  if (node.type === "exception") kind += `: ${node.message ?? ""}`;
  if (node.type === "transformation") kind += `: ${node.name ?? ""}`;
  if (weight !== undefined && weight !== 1) kind = `${weight.toFixed(2)} × ${kind}`;
  box.append(el("span", { class: "kind" }, kind), el("b", {}, node.path));
  if (node.dentry) box.append(el("span", { class: "rule" }, `  ${node.dentry.prefix} => ${node.dentry.dst}`));
  if (node.bound) {
    const { id, path, addr } = node.bound;
    box.append(el("span", { class: "addrs" }, path === "/" ? id : `${id}  residual ${path}`), el("span", { class: "addrs" }, addrText(addr)));
  }
  box.addEventListener("click", () => onPick?.(node.dentry));
  const below = el("ul");
  let taken = false;
  for (const k of kids(node)) {
    // An alt takes its first branch that is not negative, a union all of them.
    const end = outcome(k.tree);
    below.append(drawNode(k.tree, used && end === "ok" && !taken, k.weight, onPick));
    taken ||= node.type === "alt" && end !== "neg";
  }
  return el("li", {}, box, below.childElementCount > 0 && below);
}
