import { at, counter, entries, gauge, type Node, Rates, type Stat as AllOfStat, stat } from "../lib/tree.ts";

// What the dashboard knows of one reading of the metrics. Rates are per second since the
// reading before, and undefined in the first; latencies are those of the last closed
// window, in milliseconds.

export const percentiles = ["max", "p9990", "p99", "p95", "p50"] as const;
export type Stat = Pick<AllOfStat, (typeof percentiles)[number]>;

export interface Traffic {
  requests: number | undefined;
  ok: number | undefined;
  failures: number | undefined;
  /** success is the share of 0..1 of what ended since the reading before; undefined if nothing did. */
  success: number | undefined;
  latency: Stat;
  pending: number;
  connections: number;
}

export interface Row extends Traffic {
  /** key is unique among all rows of all readings. */
  key: string;
  router: string;
  /** id is a service's path, a client's bound id, or a server's address. */
  id: string;
}

export interface Service extends Row {
  retries: number | undefined;
  /** budget is how many retries are left; exhausted counts those refused. */
  budget: number | undefined;
  exhausted: number;
}

export interface Client extends Service {
  /** prefix is that of a transformer, /%/…; name is the id without it. */
  prefix: string;
  name: string;
  available: number | undefined;
  size: number | undefined;
  services: string[];
}

export interface RouterRow extends Row {
  retries: number | undefined;
  /** budget is the smallest of the services'. */
  budget: number | undefined;
  exhausted: number;
  incoming: number;
  outgoing: number;
}

export interface Process {
  uptime: number | undefined;
  threads: number | undefined;
  goroutines: number | undefined;
  memory: number | undefined;
  gc: number | undefined;
  fds: number | undefined;
}

export interface Snapshot {
  now: number;
  /** total is all routers as one. */
  total: RouterRow;
  routers: RouterRow[];
  services: Service[];
  clients: Client[];
  servers: Row[];
  process: Process;
}

/** splitClient takes the transformer's prefix off a client's id; an id that is none is undefined. */
export function splitClient(id: string): { prefix: string; name: string } | undefined {
  const m = /^((?:\/%\/.*?)?)(\/[$#]\/.*)$/.exec(id);
  return m ? { prefix: m[1] ?? "", name: m[2] ?? "" } : undefined;
}

/** Reader turns readings of admin/metrics.json?tree=1 into snapshots. */
export class Reader {
  readonly #rates = new Rates();

  read(tree: Node, now: number): Snapshot {
    this.#rates.begin(now);
    const s: Snapshot = { now, total: blank(""), routers: [], services: [], clients: [], servers: [], process: process(tree) };
    for (const [label, rt] of entries(at(tree, "rt"))) this.#router(s, label, rt);
    s.routers.sort((a, b) => (a.id < b.id ? -1 : 1));
    s.total = sum("", s.routers);
    return s;
  }

  #router(s: Snapshot, label: string, rt: Node): void {
    const servers = entries(at(rt, "server")).map(([id, n]) => this.#row(label, "server", id, n));
    const services = entries(at(rt, "service")).map(([id, n]) => this.#retrying(label, "service", `/${id}`, n, counter(n, "retries", "total")));
    const clients: Client[] = [];
    for (const [id, n] of entries(at(rt, "client"))) {
      const parts = splitClient(`/${id}`);
      if (!parts) continue;
      const balancer = at(n, "loadbalancer");
      clients.push({
        ...this.#retrying(label, "client", `/${id}`, n, counter(n, "retries", "requeues")), ...parts,
        available: gauge(balancer, "available"), size: gauge(balancer, "size"),
        services: entries(at(n, "service")).map(([svc]) => `/${svc}`),
      });
    }
    const r = sum(label, servers);
    r.retries = add(services.map((x) => x.retries), clients.map((x) => x.retries));
    r.budget = services.reduce<number | undefined>((m, x) => least(m, x.budget), undefined);
    r.exhausted = services.reduce((n, x) => n + x.exhausted, 0);
    r.incoming = r.connections;
    r.outgoing = clients.reduce((n, x) => n + x.connections, 0);
    s.routers.push(r);
    s.servers.push(...servers);
    s.services.push(...services);
    s.clients.push(...clients);
  }

  #row(router: string, kind: string, id: string, n: Node): Row {
    const key = `${kind} ${router} ${id}`, rates = this.#rates;
    const requests = rates.of(`${key} r`, counter(n, "requests"));
    const ok = rates.of(`${key} s`, counter(n, "success")), failures = rates.of(`${key} f`, counter(n, "failures"));
    return {
      key, router, id, requests, ok, failures, success: share(ok, failures), latency: latency(n),
      pending: gauge(n, "pending") ?? gauge(n, "load") ?? 0, connections: gauge(n, "connections") ?? 0,
    };
  }

  #retrying(router: string, kind: string, id: string, n: Node, retries: number): Service {
    const row = this.#row(router, kind, id, n);
    return {
      ...row, retries: this.#rates.of(`${row.key} t`, retries),
      budget: gauge(n, "retries", "budget"), exhausted: counter(n, "retries", "budget_exhausted"),
    };
  }
}

function latency(n: Node): Stat {
  const all = stat(n, "request_latency_ms"), some: Stat = {};
  for (const p of percentiles) if (all[p] !== undefined) some[p] = all[p];
  return some;
}

function share(ok: number | undefined, failures: number | undefined): number | undefined {
  const ended = (ok ?? 0) + (failures ?? 0);
  return ended > 0 ? (ok ?? 0) / ended : undefined;
}

function process(tree: Node): Process {
  const jvm = at(tree, "jvm");
  return {
    uptime: gauge(jvm, "uptime"), threads: gauge(jvm, "thread", "count"), goroutines: gauge(tree, "process", "goroutines"),
    memory: gauge(jvm, "mem", "current", "used"), gc: gauge(jvm, "gc", "msec"), fds: gauge(jvm, "fd_count"),
  };
}

/** blank is a router of which nothing is known. */
export const blank = (id: string): RouterRow => ({
  key: `router ${id}`, router: id, id, requests: undefined, ok: undefined, failures: undefined, success: undefined, latency: {}, pending: 0,
  connections: 0, retries: undefined, budget: undefined, exhausted: 0, incoming: 0, outgoing: 0,
});

/**
 * sum adds up. Percentiles do not: those of the slowest part stand for the whole, which
 * is exact for one.
 */
function sum(id: string, rows: (Row & Partial<RouterRow>)[]): RouterRow {
  const r = blank(id);
  for (const x of rows) {
    r.requests = plus(r.requests, x.requests);
    r.ok = plus(r.ok, x.ok);
    r.failures = plus(r.failures, x.failures);
    r.retries = plus(r.retries, x.retries);
    r.budget = least(r.budget, x.budget);
    r.exhausted += x.exhausted ?? 0;
    r.pending += x.pending;
    r.connections += x.connections;
    r.incoming += x.incoming ?? 0;
    r.outgoing += x.outgoing ?? 0;
    for (const p in x.latency) {
      const k = p as keyof Stat;
      r.latency[k] = Math.max(r.latency[k] ?? 0, x.latency[k] ?? 0);
    }
  }
  r.success = share(r.ok, r.failures);
  return r;
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : a + b;
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function add(...lists: (number | undefined)[][]): number | undefined {
  return lists.flat().reduce(plus, undefined);
}
