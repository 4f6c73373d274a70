// Asking /delegator.json and drawing its answer. Text goes into the page as text
// nodes only: names come from whoever writes a dtab.

const kinds = {
  delegate: "Possible Resolution Path",
  alt: "Several Possible Resolution Paths",
  union: "Several Simultaneous Resolution Paths",
  transformation: "Transformation",
  neg: "No Further Branch Matches",
  fail: "Explicit Failure",
  empty: "No Endpoints, on purpose",
  exception: "Exception",
};

export function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

export function routers() {
  return JSON.parse(document.getElementById("routers").textContent) || [];
}

export function dtabText(dentries) {
  return (dentries || []).map((d) => d.prefix + " => " + d.dst).join(";\n");
}

export async function explain(namespace, dtab, path) {
  const rep = await fetch(document.body.dataset.delegator, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ namespace, dtab, path }),
  });
  if (!rep.ok) throw new Error((await rep.text()) || "status " + rep.status);
  return rep.json();
}

function kids(node) {
  switch (node.type) {
    case "delegate": return [{ tree: node.delegate }];
    case "transformation": return [{ tree: node.tree }];
    case "alt": return (node.alt || []).map((tree) => ({ tree }));
    case "union": return node.union || [];
    default: return [];
  }
}

// outcome says what comes of a branch: requests go there ("ok"), they go on to the
// next one ("neg"), or they fail here ("stop").
function outcome(node) {
  const below = kids(node).map((k) => outcome(k.tree));
  switch (node.type) {
    case "leaf": return { bound: "ok", neg: "neg" }[node.bound.addr.type] || "stop";
    case "empty": return "ok";
    case "fail": case "exception": return "stop";
    case "alt": return below.find((o) => o !== "neg") || "neg";
    default: return ["ok", "stop"].find((o) => below.includes(o)) || "neg";
  }
}

function addrText(addr) {
  if (addr.type !== "bound") return addr.type + (addr.cause ? ": " + addr.cause : "");
  if (!addr.addrs.length) return "no endpoints";
  const shown = addr.addrs.slice(0, 20).map((a) => (a.ip.includes(":") ? "[" + a.ip + "]" : a.ip) + ":" + a.port).join("  ");
  return addr.addrs.length > 20 ? shown + "  and " + (addr.addrs.length - 20) + " more" : shown;
}

// draw returns the tree as nested lists. onPick is called with the dentry of a
// node that was clicked.
export function draw(root, onPick) {
  const list = element("ul", "tree");
  list.append(drawNode(root, true, undefined, onPick));
  return list;
}

function drawNode(node, used, weight, onPick) {
  const item = element("li");
  const ok = outcome(node) === "ok";
  const box = element("button", "node " + (!ok ? "bad" : used ? "good" : ""));
  box.type = "button";
  let kind = kinds[node.type] || node.type;
  if (node.type === "leaf") kind = node.bound.path === "/" ? "Bound Path" : "Namer Match";
  if (node.type === "exception") kind += ": " + (node.message || "");
  if (node.type === "transformation") kind += ": " + (node.name || "");
  if (weight !== undefined && weight !== 1) kind = weight.toFixed(2) + " × " + kind;
  box.append(element("span", "kind", kind), element("b", "", node.path));
  if (node.dentry) box.append(element("span", "rule", "  " + node.dentry.prefix + " => " + node.dentry.dst));
  if (node.bound) {
    let text = node.bound.id;
    if (node.bound.path !== "/") text += "  residual " + node.bound.path;
    box.append(element("span", "addrs", text), element("span", "addrs", addrText(node.bound.addr)));
  }
  box.addEventListener("click", () => onPick && onPick(node.dentry));
  item.append(box);

  const below = element("ul");
  let taken = false;
  for (const k of kids(node)) {
    // An alt takes its first branch that is not negative, a union all of them.
    const end = outcome(k.tree);
    below.append(drawNode(k.tree, used && end === "ok" && !taken, k.weight, onPick));
    taken ||= node.type === "alt" && end !== "neg";
  }
  if (below.childElementCount) item.append(below);
  return item;
}
