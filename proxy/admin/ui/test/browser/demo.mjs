import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { becomes, audit, figure, names, open, paint, picture, until } from "./browser.mjs";

// Every page of `weft demo`: hello calls world through the routers outgoing and incoming,
// and namerd keeps the rules of incoming.

const { WEFT_UI_NAMERD: namerd, WEFT_UI_PROXY: proxy, WEFT_UI_NAMESPACE: namespace, WEFT_UI_OVERRIDE: override } = process.env;
const first = "Hello world!\n", second = "Hello world, version 2!\n";
const [, prefix, dst] = /^(\S+) => (\S+)$/.exec(override);

// hello asks for hello as the demo says it, through the proxy, and returns the answer.
function hello(path = "/", headers = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(proxy);
    request({ hostname, port, path: `http://hello${path}`, headers: { Host: "hello", ...headers }, agent: false }, (rep) => {
      let body = "";
      rep.on("data", (b) => { body += b; }).on("end", () => resolve(body)).on("error", reject);
    }).on("error", reject).end();
  });
}

// shots takes pictures of the whole page in both schemes, for a person to look at.
async function shots(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `demo-${name}-${colorScheme}`, { fullPage: true });
  }
}

// finish checks what holds for every page, takes its picture and closes it.
async function finish(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await audit(page);
  }
  await shots(page, name);
  await page.done();
}

const watched = process.env.WEFT_SHOTS ? 30_000 : 0; // for charts to have something in them

test("the overview: figures and charts move by themselves", async () => {
  const page = await open();
  await until("requests", async () => (await figure(page, "requests")) > 0);
  assert.equal(await page.locator('[data-total="success"]').first().textContent(), "100%");
  await until("percentiles", async () => !Number.isNaN(await figure(page, "p99")));
  const labels = await page.locator(".totals dt").allTextContents();
  assert.ok(labels.includes("p99 · last 5 s"), `they say of what they are: ${labels}`);
  await page.getByText("latencies of the last 5 s").first().waitFor();
  assert.deepEqual((await names(page, "routers")).sort(), ["incoming", "outgoing"]);
  const charts = page.locator(".charts .plot canvas"), seen = [];
  assert.equal(await charts.count(), 3);
  for (let i = 0; i < 3; i++) seen.push([await paint(page, `.charts .plot canvas >> nth=${i}`)]);
  await until("every chart moves, more than once", async () => {
    for (const [i, list] of seen.entries()) {
      const now = await paint(page, `.charts .plot canvas >> nth=${i}`);
      if (!list.includes(now)) list.push(now);
    }
    return seen.every((list) => list.length > 2);
  });
  // The demo's own load is as even as the machine is quiet.
  const even = await figure(page, "requests");
  await until("figures move with the load", async () => {
    await Promise.all(Array.from({ length: 20 }, () => hello()));
    return (await figure(page, "requests")) > 1.5 * even;
  });
  await page.waitForTimeout(watched);
  await finish(page, "overview");
});

test("from a router down to an endpoint", async () => {
  const page = await open();
  await page.locator('[data-grid="routers"]').getByRole("link", { name: "incoming" }).click();
  await page.locator('[data-grid="services"]').getByRole("link", { name: "/svc/world" }).click();
  await until("its requests", async () => (await figure(page, "requests")) > 0);
  await page.waitForTimeout(watched);
  await shots(page, "service");
  await page.locator('[data-grid="clients"]').getByRole("link", { name: "/#/io.l5d.fs/world" }).click();
  await until("its endpoint", async () => (await names(page, "endpoints")).length === 1);
  await page.waitForTimeout(watched);
  await shots(page, "client");
  await page.locator('[data-grid="endpoints"]').getByRole("link").click();
  await until("why", async () => /picked/.test(await page.locator(".why").textContent()));
  const before = await paint(page, ".plot canvas");
  await until("its chart moves", async () => (await paint(page, ".plot canvas")) !== before);
  await page.waitForTimeout(watched);
  await finish(page, "endpoint");
});

test("all services on one page", async () => {
  const page = await open("services");
  await until("the services of both routers", async () => {
    const all = await names(page, "services");
    return all.filter((n) => n === "/svc/hello").length === 2 && all.filter((n) => n === "/svc/world").length === 2;
  });
  await page.waitForTimeout(watched / 3);
  await finish(page, "services");
});

test("the playground explains an override, beside what would be without it", async () => {
  assert.equal(await hello("/", { "l5d-dtab": override }), second, "the override acts");
  const page = await open("delegator?router=incoming#/svc/world");
  await page.locator(".node.good").last().waitFor();
  assert.match(await page.locator(".summary").textContent(), /Requests for \/svc\/world go to \/#\/io\.l5d\.fs\/world \(1 endpoint\)\.$/);
  await shots(page, "playground");
  await page.getByLabel("a whole request").check();
  await page.getByLabel("headers, one a line").fill(`Host: world\nl5d-dtab: ${override}`);
  await page.getByRole("button", { name: "Go" }).click();
  await page.getByText("With these changes").waitFor();
  const said = await page.locator(".summary").textContent();
  assert.ok(said.includes(`go to /#/io.l5d.fs/world-v2 (1 endpoint), because of the rule ${override} that this request brings along.`), said);
  assert.ok(said.includes("By the rules in force they would go to /#/io.l5d.fs/world (1 endpoint)."), said);
  await finish(page, "playground-override");
});

test("recent requests, and the spans of one on its way through both routers, twice", async () => {
  const page = await open("requests");
  const row = page.locator("tr[data-key]", { hasText: "/svc/hello" }).first();
  await row.waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  // The oldest are whole.
  const trace = page.locator(".trace").last();
  await trace.locator("summary").first().click();
  await becomes(() => trace.locator(".waterfall > li").count(), 8); // a server and a client span in each of four hops
  await finish(page, "requests");
});

test("tap shows a request that somebody makes", async () => {
  const page = await open("tapping");
  await page.getByLabel("path", { exact: true }).fill("/tapped/*");
  await page.getByRole("button", { name: "Start" }).click();
  const rows = page.locator(".taps tbody tr");
  await until("a request of each router is shown", async () => {
    assert.equal(await hello("/tapped/1"), first);
    return (await rows.count()) >= 2;
  });
  const text = (await rows.allTextContents()).join("\n");
  for (const want of [/outgoing/, /incoming/, /hello\/tapped\/1/, /\/svc\/hello/, /200/]) assert.match(text, want);
  await rows.first().getByRole("button", { name: "details" }).click();
  await shots(page, "tapping");
  await page.getByRole("button", { name: "Stop" }).click();
  await finish(page, "tapping-stopped");
});

test("log levels and help", async () => {
  const page = await open("logging");
  await page.getByLabel("level of root", { exact: true }).selectOption("DEBUG");
  await page.getByText("root is at DEBUG now.").waitFor({ state: "attached" });
  await finish(page, "logging");
  const help = await open("help");
  await help.getByText("explain.json", { exact: true }).waitFor();
  await finish(help, "help");
});

test("an edit in the namespace editor changes the routing, and the history takes it back", async () => {
  assert.equal(await hello(), first);
  const page = await open("", { base: namerd });
  await page.getByRole("link", { name: namespace, exact: true }).waitFor();
  await shots(page, "namespaces");
  await page.getByRole("link", { name: namespace, exact: true }).click();
  await page.getByRole("button", { name: "try /svc/world", exact: true }).click();
  await until("where it goes", async () => /goes to \/#\/io\.l5d\.fs\/world /.test(await page.locator(".summary").textContent()));
  await shots(page, "namespace");

  await page.getByRole("button", { name: "Edit rules" }).click();
  const field = page.locator(".editor textarea");
  await field.fill(`${await field.inputValue()}${override} ;`);
  await page.locator(".diff tr.added", { hasText: dst }).waitFor();
  await shots(page, "namespace-editing");
  await page.getByRole("button", { name: "Review the change" }).click();
  const effect = page.locator("tr[data-kind=rerouted]", { hasText: prefix });
  await until("the effect", async () => /\/#\/io\.l5d\.fs\/world 1 endpoint\/#\/io\.l5d\.fs\/world-v2 1 endpoint/.test(await effect.textContent()));
  await page.getByLabel("reason").fill("everybody gets version 2");
  await shots(page, "namespace-review");
  assert.equal(await hello(), first, "nothing changes before it is saved");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("everybody gets version 2").first().waitFor();
  await until("requests go to the second version", async () => (await hello()) === second);

  // The dashboard of the proxies sees where they go now.
  const dashboard = await open("?router=incoming");
  await until("a client more", async () => (await names(dashboard, "clients")).includes("/#/io.l5d.fs/world-v2"));
  await dashboard.done();

  await page.getByRole("button", { name: "Edit back to this" }).first().click();
  await page.locator(".diff tr.removed:visible", { hasText: dst }).waitFor();
  await page.getByRole("button", { name: "Review the change" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await until("requests go to the first version", async () => (await hello()) === first);
  await finish(page, "namespace-saved");
});

test("namerd's log levels", async () => {
  const page = await open("logging", { base: namerd });
  await page.getByLabel("level of root", { exact: true }).waitFor();
  await finish(page, "namerd-logging");
});
