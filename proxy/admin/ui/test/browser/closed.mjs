import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, open, until } from "./browser.mjs";

test("what is not served is neither linked nor asked for", async () => {
  const page = await open();
  await until("requests", async () => (await figure(page, "requests")) > 0);
  const links = await page.locator("header nav a").allTextContents();
  assert.ok(!links.includes("services") && !links.includes("requests"), links.join(" "));
  await page.goto(`${page.url()}?router=out&client=/%23/io.l5d.fs/web-000`);
  await until("the table says so", async () => /does not let/.test(await page.locator('[data-grid="endpoints"]').textContent()));
  for (const a of await page.locator("a[href]").all()) {
    const href = await a.evaluate((e) => e.href);
    if (href.includes("#")) continue;
    assert.equal((await page.request.get(href)).status(), 200, href);
  }
  await page.done(); // no answer was an error
});
