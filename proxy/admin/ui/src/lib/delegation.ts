// The explanation of a name, as /delegator.json and /explain.json give it.

import { el } from "./dom.ts";
import type { Dentry } from "./page.ts";

export interface Addr { type: "bound" | "neg" | "pending" | "failed"; cause?: string; addrs?: { ip: string; port: number }[] }
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

export type Outcome = "ok" | "neg" | "stop";

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

/** Goal is where requests end up: a bound name and its share. */
export interface Goal { id: string; share: number; endpoints: number }

/** goals are the bound names that requests for the root are sent to, with their shares. */
export function goals(node: Delegation, share = 1): Goal[] {
  if (outcome(node) !== "ok") return [];
  if (node.type === "leaf" && node.bound) return [{ id: node.bound.id, share, endpoints: node.bound.addr.addrs?.length ?? 0 }];
  if (node.type === "alt") {
    const taken = kids(node).find((k) => outcome(k.tree) !== "neg");
    return taken ? goals(taken.tree, share) : [];
  }
  // A branch of a union that nobody knows has its share given to the others.
  const live = kids(node).filter((k) => outcome(k.tree) === "ok"), total = live.reduce((n, k) => n + (k.weight ?? 1), 0);
  return live.flatMap((k) => goals(k.tree, total > 0 ? (share * (k.weight ?? 1)) / total : 0));
}

/** goalText names the goals in a sentence's part: "/#/io.l5d.fs/web (2 endpoints)". */
export function goalText(list: Goal[]): string {
  return list.map((g) => {
    const part = g.share < 0.9995 ? `${Math.round(1000 * g.share) / 10} % to ` : "";
    return `${part}${g.id} (${g.endpoints === 0 ? "no endpoints" : g.endpoints === 1 ? "1 endpoint" : `${g.endpoints} endpoints`})`;
  }).join(" and ");
}

/** way are the nodes that requests pass, first to last, as far as there is one way. */
export function way(node: Delegation): Delegation[] {
  const below = kids(node), next = node.type === "alt" ? below.find((k) => outcome(k.tree) !== "neg") : below.find((k) => outcome(k.tree) === "ok") ?? below[0];
  return next ? [node, ...way(next.tree)] : [node];
}

/** signature tells whether a node of another tree is the same step. */
export function signature(n: Delegation): string {
  // Whether other branches stand beside it makes no other step of it.
  return [["delegate", "alt", "union"].includes(n.type) ? "" : n.type, n.path, n.dentry?.prefix, n.dentry?.dst, n.bound?.id, n.bound?.addr.type].join("\n");
}

export function signatures(n: Delegation, into = new Set<string>()): Set<string> {
  into.add(signature(n));
  for (const k of kids(n)) signatures(k.tree, into);
  return into;
}

function addrText(addr: Addr): string {
  if (addr.type !== "bound") return { neg: "no such name", pending: "no answer yet", failed: "failed" }[addr.type] + (addr.cause ? `: ${addr.cause}` : "");
  const addrs = addr.addrs ?? [];
  if (!addrs.length) return "no endpoints";
  const shown = addrs.slice(0, 20).map((a) => `${a.ip.includes(":") ? `[${a.ip}]` : a.ip}:${a.port}`).join("  ");
  return addrs.length > 20 ? `${shown}  and ${addrs.length - 20} more` : shown;
}

/** why says in words why a branch leads nowhere. */
function why(n: Delegation): string {
  switch (n.type) {
    case "neg": return n.path === "~" ? "the rule says ~, which is: no such name" : "no rule has a prefix of it, and no namer knows it";
    case "fail": return "the look-up stops here, and the branches after it are not tried";
    case "exception": return n.message?.includes("no answer yet") ? "the namer has not answered yet" : "";
    case "leaf": return n.bound?.addr.type === "bound" ? "" : "the name is known, and its endpoints are not";
    default: return "";
  }
}

export interface DrawOptions {
  /** onPick is called with the dentry of a node that was clicked. */
  onPick?(d: Dentry | undefined, node: Delegation): void;
  /** source says where a rule is from. */
  source?(d: Dentry): string;
  /** other are the signatures of the tree that this one is compared with; mark says what nodes that are not in it are. */
  other?: Set<string>;
  mark?: string;
}

/** draw returns the tree as nested lists. */
export function draw(root: Delegation, o: DrawOptions = {}): HTMLElement {
  return el("ul", { class: "tree" }, drawNode(root, true, true, true, undefined, o));
}

function drawNode(node: Delegation, used: boolean, reached: boolean, first: boolean, weight: number | undefined, o: DrawOptions): HTMLElement {
  const ok = outcome(node) === "ok";
  const box = el("button", { type: "button", class: `node ${!ok ? "bad" : used ? "good" : ""}` });
  let kind = kinds[node.type] ?? node.type;
  if (node.type === "leaf") kind = node.bound?.path === "/" ? "Bound Path" : "Namer Match";
  if (node.type === "exception") kind += `: ${node.message ?? ""}`;
  if (node.type === "transformation") kind += `: ${node.name ?? ""}`;
  if (weight !== undefined && weight !== 1) kind = `${weight.toFixed(2)} × ${kind}`;
  const changed = o.other && !o.other.has(signature(node));
  const head = el("span", { class: "kind" }, kind);
  if (changed) head.append(" ", el("span", { class: "tag fair" }, o.mark ?? "changed"));
  if (!reached && first) head.append(" ", el("span", { class: "tag" }, "not reached: a branch before it answers"));
  box.append(head, el("b", {}, node.path));
  if (node.dentry) {
    box.append(el("span", { class: "rule" }, `  ${node.dentry.prefix} => ${node.dentry.dst}`));
    const source = o.source?.(node.dentry);
    if (source) box.append(" ", el("span", { class: source === "this request" ? "tag accent" : "tag" }, source));
  }
  if (node.bound) {
    const { id, path, addr } = node.bound;
    box.append(el("span", { class: "addrs" }, path === "/" ? id : `${id}  residual ${path}`), el("span", { class: "addrs" }, addrText(addr)));
  }
  const reason = why(node);
  if (reason) box.append(el("span", { class: "why" }, reason));
  box.addEventListener("click", () => o.onPick?.(node.dentry, node));
  const below = el("ul");
  let taken = false;
  for (const k of kids(node)) {
    // An alt takes its first branch that is not negative, a union all of them.
    const end = outcome(k.tree);
    below.append(drawNode(k.tree, used && end === "ok" && !taken, reached && !taken, reached, k.weight, o));
    taken ||= node.type === "alt" && end !== "neg";
  }
  return el("li", {}, box, below.childElementCount > 0 && below);
}
