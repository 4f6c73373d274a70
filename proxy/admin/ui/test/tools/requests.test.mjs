import assert from "node:assert/strict";
import { test } from "node:test";
import { open, proxy, proxyAdmin, send, shot } from "./kit.mjs";

test("a request is in the table, with a link to the playground, and its spans are a waterfall", async (t) => {
  assert.equal((await send(proxy, "world", { path: "/seen" })).status, 200);
  const page = await open(t, `${proxyAdmin}requests`);
  const row = page.locator("tr[data-key]", { hasText: "/svc/world" }).first();
  await row.waitFor();
  assert.match(await row.getByRole("link", { name: "/svc/world" }).getAttribute("href"), /^\.\/delegator\?router=outgoing#\/svc\/world$/);
  await row.getByRole("button", { name: /show trace/ }).click();
  const trace = page.locator(".trace[open]");
  await trace.waitFor();
  assert.ok((await trace.locator(".waterfall > li").count()) >= 2, "a server and a client span");
  await trace.locator(".waterfall summary").first().click();
  const facts = trace.locator("details[open] .facts").first();
  assert.match(await facts.innerText(), /router\.label\s+outgoing/);
  assert.match(await facts.innerText(), /\bsr\b/);
  await shot(page, "requests");
  await page.getByRole("button", { name: "Pause" }).click();
  await row.getByRole("link", { name: "/svc/world" }).click();
  await page.locator(".node.good").first().waitFor();
});
