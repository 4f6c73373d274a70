import { served } from "../lib/net.ts";
import { Poller } from "../lib/poll.ts";
import type { EndpointTable } from "./endpoints.ts";
import { History } from "./history.ts";
import { Metrics } from "./metrics.ts";
import type { Row, Snapshot } from "./model.ts";

const minutes = 5, few = 3000;

/** Store reads the metrics every second, and the table of endpoints as often as the view wants. */
export class Store {
  snapshot: Snapshot | undefined;
  endpoints: EndpointTable | undefined;
  history = new History(60);
  readonly #changed: () => void;
  #table: Poller<EndpointTable> | undefined;
  #tableEvery = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
    new Poller<Snapshot>({ get: new Metrics().read, onData: (s) => this.#take(s) });
  }

  /** wantEndpoints says how often the table of endpoints is needed. */
  wantEndpoints(everyMs: number): void {
    if (everyMs === this.#tableEvery || !served("endpoints.json")) return;
    this.#table?.close();
    this.#tableEvery = everyMs;
    this.#table = new Poller<EndpointTable>({
      path: "endpoints.json", everyMs, quiet: true,
      onData: (t) => {
        this.endpoints = t;
        if (everyMs <= 1000) this.#changed();
      },
    });
  }

  #take(s: Snapshot): void {
    if (!this.snapshot) {
      const rows = s.services.length + s.clients.length + s.servers.length;
      this.history = new History(rows > few ? 60 : 60 * minutes);
    }
    this.snapshot = s;
    this.history.push(s.now / 1000, remembered(s));
    this.#changed();
  }
}

function* remembered(s: Snapshot): Iterable<[string, (number | undefined)[]]> {
  for (const list of [[s.total], s.routers, s.services, s.clients, s.servers] as Row[][]) {
    for (const r of list) yield [r.key, [r.requests, r.success, r.latency.p50, r.latency.p95, r.latency.p99, r.latency.max]];
  }
}
