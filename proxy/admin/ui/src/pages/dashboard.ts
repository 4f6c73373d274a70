import { connections, latencies, pending, retries, router, service, success, traffic } from "../dash/columns.ts";
import { type Row, Reader, type Service } from "../dash/model.ts";
import { el, find, setText } from "../lib/dom.ts";
import { bytes, duration, millis, number } from "../lib/format.ts";
import "../lib/page.ts";
import { Poller } from "../lib/poll.ts";
import { searchBox, Table } from "../lib/table.ts";
import type { Node } from "../lib/tree.ts";

const view = find("#view"), reader = new Reader();
const services = new Table<Service>({
  label: "services", columns: [service, router, ...traffic, ...retries, pending, ...latencies] as never, key: (r) => r.key, search: (r) => r.id,
  empty: "no services yet", sort: { id: "requests", descending: true }, minWidth: 900,
});
const servers = new Table<Row>({
  label: "servers", columns: [{ id: "server", head: "server", text: true, width: 2, by: (r) => r.id, cell: (r) => r.id }, router, ...traffic, pending, connections, ...latencies], key: (r) => r.key,
  empty: "no servers yet", sort: { id: "server", descending: false }, minWidth: 700,
});
view.append(
  el("section", { class: "card", "data-grid": "services" }, el("div", { class: "headline" }, el("h2", {}, "Services"), searchBox(services, "search services")), services.element),
  el("section", { class: "card", "data-grid": "servers" }, el("div", { class: "headline" }, el("h2", {}, "Servers")), servers.element),
);

new Poller<Node>({
  path: "admin/metrics.json?tree=1",
  onData: (tree, now) => {
    const s = reader.read(tree, now);
    services.update(s.services);
    servers.update(s.servers);
    const texts: Record<string, string> = {
      requests: number(s.total.requests), pending: number(s.total.pending), p99: millis(s.total.latency.p99),
      incoming: number(s.total.incoming), outgoing: number(s.total.outgoing),
      uptime: duration(s.process.uptime), threads: number(s.process.threads), memory: bytes(s.process.memory),
    };
    for (const e of document.querySelectorAll<HTMLElement>("[data-total]")) setText(e, texts[e.dataset.total ?? ""] ?? "–");
    success(s.total.success, find('[data-total="success"]'));
  },
});
