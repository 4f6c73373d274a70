// Fills the dashboard and the page of services from admin/metrics.json?tree=1,
// once a second. Counters are shown as rates between two readings, latencies are
// those of the last full minute.

import { Chart } from "./chart.js";
import { draw, dtabText, element, explain, routers } from "./delegation.js";

const pollMs = 1000;

const at = (node, ...path) => path.reduce((n, key) => (n ? n[key] : undefined), node);
const counter = (node, ...path) => at(node, ...path, "counter") || 0;
const gauge = (node, ...path) => at(node, ...path, "gauge") || 0;
const entries = (node) => Object.entries(node || {}).filter(([, v]) => v && typeof v === "object" && Object.keys(v).length);
const values = (node) => entries(node).map(([, v]) => v);
const sum = (list, f) => list.reduce((n, x) => n + f(x), 0);

const number = (n) => n.toLocaleString("en", { maximumFractionDigits: n < 10 ? 1 : 0 });
const millis = (n) => (n === undefined ? "–" : number(n) + " ms");
const percent = (r) => (r === undefined ? "–" : (100 * r).toFixed(r === 1 || r < 0.9 ? 1 : 2) + "%");
const grade = (r) => (r === undefined ? "" : r >= 0.99 ? "good" : r >= 0.9 ? "fair" : "bad");

function duration(ms) {
  const s = Math.floor(ms / 1000), d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
  return d ? `${d}d ${h}h` : h ? `${h}h ${m}m` : m ? `${m}m ${s % 60}s` : `${s}s`;
}

function bytes(n) {
  for (const unit of ["B", "KiB", "MiB"]) {
    if (n < 1024) return number(n) + " " + unit;
    n /= 1024;
  }
  return number(n) + " GiB";
}

// Rates remembers the last reading of every counter.
class Rates {
  constructor() { this.last = new Map(); this.seconds = 0; }
  begin(now) {
    this.seconds = this.time === undefined ? 0 : (now - this.time) / 1000;
    this.time = now;
    this.next = new Map();
  }
  end() { this.last = this.next; }
  // of returns undefined until there are two readings; a counter that began anew
  // has not moved.
  of(key, value) {
    this.next.set(key, value);
    const before = this.last.get(key);
    return before === undefined || this.seconds <= 0 ? undefined : Math.max(0, value - before) / this.seconds;
  }
}

const rates = new Rates();
const cards = [...document.querySelectorAll(".router")].map((card) => ({
  card, label: card.dataset.router, chart: new Chart(card.querySelector("canvas")), rows: new Map(),
}));

// traffic reads what servers, services and clients have in common.
function traffic(key, node, retries) {
  const t = {
    requests: rates.of(key + " requests", counter(node, "requests")),
    ok: rates.of(key + " success", counter(node, "success")),
    failures: rates.of(key + " failures", counter(node, "failures")),
    retries: rates.of(key + " retries", retries),
    stat: at(node, "request_latency_ms") || {},
  };
  const ended = (t.ok || 0) + (t.failures || 0);
  t.success = ended > 0 ? t.ok / ended : undefined;
  return t;
}

const rate = (n) => (n === undefined ? "–" : number(n));
const latency = (t, p) => millis(t.stat["stat." + p]);

function figure(card, name, text, className) {
  const e = card.querySelector(`[data-figure="${name}"]`);
  e.textContent = text;
  e.className = className || "";
}

// fill puts rows [{name, colour, cells}] into a table and keeps those it has.
function fill(c, grid, rows) {
  const body = c.card.querySelector(`[data-grid="${grid}"] tbody`);
  const seen = new Set(), width = body.parentElement.tHead.rows[0].cells.length;
  for (const { name, colour, cells } of rows) {
    const key = grid + " " + name;
    seen.add(key);
    let row = c.rows.get(key);
    if (!row) {
      row = element("tr");
      const first = element("td");
      if (colour) {
        const swatch = element("span", "swatch");
        swatch.style.background = colour;
        first.append(swatch);
      }
      first.append(name);
      row.append(first);
      for (let i = 1; i < width; i++) row.append(element("td"));
      c.rows.set(key, row);
    }
    cells.forEach((cell, i) => {
      const td = row.cells[i + 1];
      if (cell instanceof Node) td.replaceChildren(cell);
      else if (typeof cell === "object") { td.textContent = cell.text; td.className = cell.className; }
      else if (td.textContent !== cell) td.textContent = cell;
    });
    body.append(row);
  }
  for (const [key, row] of c.rows) {
    if (key.startsWith(grid + " ") && !seen.has(key)) {
      row.remove();
      c.rows.delete(key);
    }
  }
  if (!rows.length) {
    const none = element("tr"), cell = element("td", "none", "none yet");
    cell.colSpan = width;
    none.append(cell);
    c.rows.set(grid + " ", none);
    body.append(none);
  }
}

function endpointsBar(balancer) {
  const size = gauge(balancer, "size"), available = gauge(balancer, "available");
  const box = element("span", "", available + " / " + size), bar = element("span", "bar"), part = element("i");
  const share = size > 0 ? available / size : 0;
  part.style.width = 100 * share + "%";
  bar.classList.toggle("low", share < 0.5);
  bar.append(part);
  box.append(bar);
  return box;
}

const successCell = (t) => ({ text: percent(t.success), className: grade(t.success) });
const byName = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

function showRouter(c, router, now) {
  const clients = entries(at(router, "client")).sort(byName).map(([id, node]) =>
    ({ id: "/" + id, node, t: traffic(c.label + " client " + id, node, counter(node, "retries", "requeues")) }));
  c.chart.add(now, clients.filter((x) => x.t.requests !== undefined).map((x) => [x.id, x.t.requests]));
  fill(c, "clients", clients.map(({ id, node, t }) => ({
    name: id, colour: c.chart.colour(id),
    cells: [rate(t.requests), successCell(t), rate(t.failures), rate(t.retries), latency(t, "p50"), latency(t, "p99"), latency(t, "max"),
      number(gauge(node, "connections")), endpointsBar(at(node, "loadbalancer"))],
  })));

  const servers = entries(at(router, "server")).sort(byName).map(([id, node]) => ({ id, node, t: traffic(c.label + " server " + id, node, 0) }));
  fill(c, "servers", servers.map(({ id, node, t }) => ({
    name: id,
    cells: [rate(t.requests), successCell(t), rate(t.failures), latency(t, "p50"), latency(t, "p99"), latency(t, "max"), number(gauge(node, "connections"))],
  })));

  const known = servers.some((s) => s.t.requests !== undefined);
  const requests = sum(servers, (s) => s.t.requests || 0), failures = sum(servers, (s) => s.t.failures || 0);
  const ended = failures + sum(servers, (s) => s.t.ok || 0), success = ended > 0 ? 1 - failures / ended : undefined;
  const retried = rates.of(c.label + " retries", sum(values(at(router, "service")), (s) => counter(s, "retries", "total")) +
    sum(clients, (x) => counter(x.node, "retries", "requeues")));
  const slowest = (p) => servers.reduce((m, s) => { const v = s.t.stat["stat." + p]; return v === undefined ? m : Math.max(m ?? 0, v); }, undefined);
  figure(c.card, "requests", known ? number(requests) : "–");
  figure(c.card, "success", percent(success), grade(success));
  figure(c.card, "failures", known ? number(failures) : "–");
  figure(c.card, "retries", rate(retried));
  figure(c.card, "pending", number(sum(servers, (s) => gauge(s.node, "pending"))));
  figure(c.card, "p50", millis(slowest("p50")));
  figure(c.card, "p99", millis(slowest("p99")));
}

function showServices(c, router, now) {
  const services = entries(at(router, "service")).sort(byName).map(([id, node]) =>
    ({ id: "/" + id, node, t: traffic(c.label + " service " + id, node, counter(node, "retries", "total")) }));
  c.chart.add(now, services.filter((x) => x.t.requests !== undefined).map((x) => [x.id, x.t.requests]));
  fill(c, "services", services.map(({ id, node, t }) => ({
    name: id, colour: c.chart.colour(id),
    cells: [rate(t.requests), successCell(t), rate(t.failures), rate(t.retries), number(gauge(node, "retries", "budget")),
      number(counter(node, "retries", "budget_exhausted")), latency(t, "p50"), latency(t, "p99"), latency(t, "max")],
  })));
}

function showTotals(tree) {
  const all = values(at(tree, "rt"));
  const over = (stack, f) => sum(all, (r) => sum(values(r[stack]), f));
  const requests = rates.of("requests", over("server", (s) => counter(s, "requests")));
  const text = {
    requests: rate(requests),
    pending: number(over("server", (s) => gauge(s, "pending"))),
    incoming: number(over("server", (s) => gauge(s, "connections"))),
    outgoing: number(over("client", (s) => gauge(s, "connections"))),
    uptime: duration(gauge(tree, "jvm", "uptime")),
    threads: number(gauge(tree, "jvm", "thread", "count")),
    memory: bytes(gauge(tree, "jvm", "mem", "current", "used")),
  };
  for (const e of document.querySelectorAll("[data-total]")) e.textContent = text[e.dataset.total];
}

async function poll() {
  if (!document.hidden) {
    let failed = false;
    try {
      const rep = await fetch("./admin/metrics.json?tree=1");
      if (!rep.ok) throw new Error("status " + rep.status);
      const tree = await rep.json(), now = performance.now();
      rates.begin(now);
      const show = document.body.dataset.page === "services" ? showServices : showRouter;
      for (const c of cards) show(c, at(tree, "rt", c.label), now);
      if (document.querySelector("[data-total]")) showTotals(tree);
      rates.end();
    } catch {
      failed = true;
    }
    document.getElementById("offline").hidden = !failed;
  }
  setTimeout(poll, pollMs);
}
poll();

const box = document.getElementById("explain");
if (box) {
  const dtabs = Object.fromEntries(routers().map((r) => [r.label, dtabText(r.dtab)]));
  const ask = box.querySelector("form"), answer = box.querySelector(".answer");
  ask.addEventListener("submit", async (e) => {
    e.preventDefault();
    const label = ask.elements.router.value;
    try {
      const tree = draw(await explain(label, dtabs[label], ask.elements.path.value.trim()));
      answer.replaceChildren(tree);
    } catch (err) {
      answer.replaceChildren(element("p", "banner", err.message));
    }
  });
}
