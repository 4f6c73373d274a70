import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, becomes, figure, names, open, paint, picture, tell, until } from "./browser.mjs";

test("the overview has the three sections, live", async () => {
  const page = await open();
  await until("requests", async () => (await figure(page, "requests")) > 0);
  for (const grid of ["routers", "services", "clients", "servers"]) assert.ok(await page.locator(`[data-grid="${grid}"] table`).isVisible(), grid);
  for (const id of ["success", "p50", "p95", "p99", "incoming", "outgoing", "pending", "retries", "budget"]) await until(id, async () => !Number.isNaN(await figure(page, id)));
  assert.equal(await figure(page, "incoming"), 7);
  assert.equal(await figure(page, "pending"), 2);
  assert.equal(await page.locator('[data-process="uptime"]').textContent(), "1h 2m");
  assert.equal(await page.locator('[data-process="memory"]').textContent(), "44 MiB");
  assert.match(await page.locator(".budget").first().textContent(), /Retry budget available [\d.]+% \/ 20%/);
  assert.equal(await page.locator("#status").textContent(), "live");
  const before = [await paint(page, ".plot canvas"), await figure(page, "requests")];
  await until("the chart moves", async () => (await paint(page, ".plot canvas")) !== before[0]);
  await until("figures move", async () => (await figure(page, "requests")) !== before[1]);
  await audit(page);
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 25_000 : 0);
  await picture(page, "overview-dark", { fullPage: true });
  await page.done();
});

test("sorting and searching", async () => {
  const page = await open("?router=out");
  await until("services", async () => (await names(page, "services")).length > 5);
  const head = page.locator('[data-grid="services"] th[data-column="name"]'), button = head.getByRole("button");
  await button.click();
  await becomes(() => head.getAttribute("aria-sort"), "ascending");
  const up = [...(await names(page, "services"))].sort();
  await becomes(() => names(page, "services"), up);
  await button.press("Enter"); // by keyboard as well
  await becomes(() => head.getAttribute("aria-sort"), "descending");
  await becomes(() => names(page, "services"), [...up].reverse());

  await page.getByRole("searchbox", { name: "search services" }).fill("web-01");
  await becomes(async () => (await names(page, "services")).sort(), ["/svc/web-010", "/svc/web-011"]);
  await becomes(() => page.locator('[data-grid="services"] .count').textContent(), "2 of 12");
  await page.getByRole("searchbox", { name: "search services" }).fill("nothing of that name");
  await until("nothing is found", async () => /nothing matches/.test(await page.locator('[data-grid="services"] tbody').textContent()));
  await page.done();
});

test("drill-down from a router to an endpoint, back and by address", async () => {
  const page = await open();
  await page.locator('[data-grid="routers"]').getByRole("link", { name: "out" }).click();
  await page.waitForURL(/\?router=out$/);
  await becomes(() => page.locator(".pills [aria-current]").textContent(), "out");
  await page.locator('[data-grid="services"]').getByRole("link", { name: "/svc/web-000" }).click();
  await page.waitForURL(/service=\/svc\/web-000/);
  await becomes(() => page.locator("h1").textContent(), "/svc/web-000");
  await becomes(() => page.evaluate(() => document.activeElement.tagName), "H1"); // the focus goes along
  await until("its requests", async () => (await figure(page, "requests")) > 0);
  await until("what its budget allows", async () => /at least 10\/s, over 10 s · 100 retries left/.test(await page.locator(".budget").textContent()));
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 8000 : 0);
  await picture(page, "service-dark", { fullPage: true });
  await page.locator('[data-grid="clients"]').getByRole("link", { name: "web-000" }).click();
  await page.waitForURL(/client=/);
  await until("its endpoints", async () => (await names(page, "endpoints")).length === 3);
  await until("what its budget allows", async () => /at least 10\/s, over 10 s/.test(await page.locator(".budget").last().textContent()));
  await until("why it is open", async () => /breaker has tripped after 5 failures/.test(await page.locator('[data-grid="endpoints"]').textContent()));
  await until("its balancer", async () => /Endpoints available 2 \/ 3.*aperture of 2/.test(await page.locator("main").textContent()));
  const endpoints = page.locator('[data-grid="endpoints"] tbody tr[data-key]');
  assert.match(await endpoints.filter({ hasText: "10.0.0.1:8081" }).textContent(), /openyes/);
  assert.match(await endpoints.filter({ hasText: "10.0.0.1:8082" }).textContent(), /busyno.*no connection, tried in 1,300 ms/);
  await audit(page);
  await picture(page, "client-dark", { fullPage: true });
  await page.getByRole("link", { name: "10.0.0.1:8082" }).click();
  await page.waitForURL(/endpoint=10/);
  await until("why", async () => /tripped/.test(await page.locator(".why").textContent()));
  await becomes(() => page.locator(".figures > div").allInnerTexts(), [
    "picked\ncannot be", "balancer\naperture", "aperture\ninside: 2 of 3 endpoints", "weight class\n90.0% of the traffic for 3 endpoints of weight 1, 2 of them available",
    "breaker policy\nconsecutiveFailures: 5", "counts against it\n5 consecutive failures", "tripped for\n800 ms", "next probe in\n4,200 ms",
    "fail-fast\nconnection refused", "no connection for\n700 ms, 2 probes failed since", "connects again in\n1,300 ms", "zone\na",
  ]);
  const before = await paint(page, ".plot canvas");
  await until("the chart moves", async () => (await paint(page, ".plot canvas")) !== before);
  await audit(page);
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 8000 : 0);
  await picture(page, "endpoint-dark", { fullPage: true });
  const there = page.url();
  await page.goBack();
  await becomes(() => page.locator("h1").textContent(), "/#/io.l5d.fs/web-000");
  await page.getByRole("navigation", { name: "place" }).getByRole("link", { name: "out" }).click();
  await page.locator('[data-grid="clients"]').waitFor();
  await page.goto(there);
  await until("the address leads there", async () => /tripped/.test(await page.locator(".why").textContent()));
  await page.done();
});

test("cards: folded when there are many, transformers behind a switch, gone when pruned", async () => {
  const page = await open("?router=out");
  const clients = page.locator('[data-grid="clients"]');
  await until("clients", async () => (await names(page, "clients")).length === 12);
  assert.equal(await clients.locator("tr.detail").count(), 0);
  await clients.getByRole("button", { name: "Expand all" }).click();
  await clients.locator("tr.detail canvas").first().waitFor();
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 8000 : 0);
  await clients.scrollIntoViewIfNeeded();
  await picture(page, "cards-dark");
  assert.match(await clients.locator("tr.detail").first().textContent(), /p9990/);
  await clients.getByRole("button", { name: "Collapse all" }).click();
  await becomes(() => clients.locator("tr.detail").count(), 0);
  const fold = clients.getByRole("button", { name: /details of .*web-002/ });
  assert.equal(await fold.getAttribute("aria-expanded"), "false");
  await fold.press("Enter");
  await becomes(() => fold.getAttribute("aria-expanded"), "true");
  await becomes(() => clients.locator("tr.detail").count(), 1);

  assert.ok(!(await names(page, "clients")).some((n) => n.includes("/%/")));
  await page.getByRole("button", { name: "Show transformers" }).click();
  await becomes(async () => (await names(page, "clients")).includes("/%/io.l5d.port/4141/#/io.l5d.fs/web-001"), true);

  await tell("prune?name=web-002");
  await until("the client is gone", async () => !(await names(page, "clients")).some((n) => n.endsWith("web-002")));
  await becomes(() => clients.locator("tr.detail").count(), 0);
  await page.done();
});

test("success rates have the colours of Linkerd's thresholds", async () => {
  const page = await open("?router=out");
  await until("good", async () => (await page.locator('[data-total="success"].good, [data-total="success"].fair').count()) === 1);
  await tell("faulty?on=true");
  await until("bad", async () => (await page.locator('[data-total="success"].bad').count()) === 1);
  await until("the budget is red", async () => (await page.locator(".budget .bar.bad").count()) > 0);
  await tell("faulty?on=false");
  await until("not bad any more", async () => (await page.locator('[data-total="success"].bad').count()) === 0);
  await page.done();
});

test("a process that is gone is asked less and less often, and found again", async () => {
  const page = await open();
  await until("live", async () => (await figure(page, "requests")) > 0);
  let asked = 0;
  page.on("request", (r) => { if (r.url().includes("metrics.json")) asked++; });
  await tell("gone?on=true");
  await page.locator("#problem").waitFor({ state: "visible" });
  assert.match(await page.locator("#problem").textContent(), /does not answer/);
  assert.equal(await page.locator("#problem").getAttribute("role"), "alert");
  assert.equal(await page.locator("#status").textContent(), "no answer");
  await picture(page, "gone-dark");
  asked = 0;
  await page.waitForTimeout(7000);
  assert.ok(asked <= 3, `asked ${asked} times in 7 s`);
  await tell("gone?on=false");
  await page.locator("#problem").waitFor({ state: "hidden" });
  assert.equal(await page.locator("#status").textContent(), "live");
  const before = await figure(page, "requests");
  await until("figures move again", async () => (await figure(page, "requests")) !== before);
  // Chromium itself logs requests that fail; nothing else may.
  const others = page.problems().filter((p) => !/Failed to load resource: net::/.test(p));
  assert.deepEqual(others, []);
  await page.done();
});

test("a hidden page does not ask", async () => {
  const page = await open();
  await until("live", async () => (await figure(page, "requests")) > 0);
  let asked = 0;
  page.on("request", () => asked++);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => globalThis.away });
    globalThis.away = true;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForTimeout(1500); // what was under way
  asked = 0;
  await page.waitForTimeout(3000);
  assert.equal(asked, 0);
  await page.evaluate(() => {
    globalThis.away = false;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until("it asks again", () => asked > 0);
  await page.done();
});

test("the theme follows the reader, and is remembered when chosen", async () => {
  const page = await open("", { colorScheme: "light" });
  const dark = () => page.evaluate(() => { const [r] = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g); return r < 128; });
  assert.equal(await dark(), false);
  await until("requests", async () => (await figure(page, "requests")) > 0);
  await audit(page);
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 20_000 : 0);
  await picture(page, "overview-light", { fullPage: true });
  await page.getByRole("button", { name: "theme: auto" }).click();
  await page.getByRole("button", { name: "theme: light" }).click();
  await page.getByRole("button", { name: "theme: dark" }).waitFor();
  await becomes(dark, true);
  await page.reload();
  await becomes(dark, true);
  await page.done();
});

test("narrow screens and the page of services", async () => {
  const page = await open("services?router=out", { viewport: { width: 390, height: 844 } });
  await until("services", async () => (await names(page, "services")).length > 5);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, "the page does not scroll sideways");
  await audit(page);
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 8000 : 0);
  await picture(page, "services-narrow");
  await page.goto(page.url().replace("services?router=out", ""));
  await until("requests", async () => (await figure(page, "requests")) > 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await page.waitForTimeout(process.env.WEFT_SHOTS ? 8000 : 0);
  await picture(page, "overview-narrow", { fullPage: true });
  await page.done();
});

test("by keyboard alone", async () => {
  const page = await open("?router=out", { reducedMotion: "reduce" });
  await until("services", async () => (await names(page, "services")).length > 5);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const seen = [];
  for (let i = 0; i < 80 && !seen.includes("A /svc/web-000"); i++) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => `${document.activeElement.tagName} ${(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).slice(0, 40)}`));
  }
  const order = ["BUTTON theme: auto", "INPUT search services", "DIV Services", "BUTTON req/s", "A /svc/web-000"].map((s) => seen.indexOf(s));
  assert.ok(order.every((n) => n >= 0), seen.join("\n"));
  assert.deepEqual(order, [...order].sort((a, b) => a - b), seen.join("\n"));
  await page.keyboard.press("Enter");
  await page.waitForURL(/service=/);
  await page.done();
});
