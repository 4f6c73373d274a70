import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, names, open, until } from "./browser.mjs";

test("behind a prefix every address is relative", async () => {
  const page = await open();
  await until("requests", async () => (await figure(page, "requests")) > 0);
  await page.getByRole("link", { name: "services" }).first().click();
  await until("services", async () => (await names(page, "services")).length === 3);
  await page.locator('[data-grid="services"]').getByRole("link", { name: "/svc/web-000" }).click();
  await page.waitForURL(/\/mesh\/admin-1\/\?router=out&service=/);
  await until("its requests", async () => (await figure(page, "requests")) > 0);
  await page.getByRole("link", { name: "linkerd admin" }).click();
  await page.waitForURL(/\/mesh\/admin-1\/$/);
  for (const a of await page.locator("header a").all()) assert.match(await a.getAttribute("href"), /^(\.\/|#)/);
  await page.done();
});
