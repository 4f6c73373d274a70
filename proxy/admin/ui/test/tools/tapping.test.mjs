import assert from "node:assert/strict";
import { test } from "node:test";
import { open, proxy, proxyAdmin, send, shot, until } from "./kit.mjs";

test("tap shows the requests that match, live, and stops", async (t) => {
  const page = await open(t, `${proxyAdmin}tapping`);
  await page.getByLabel("path", { exact: true }).fill("/tapped/*");
  await page.getByRole("button", { name: "Start" }).click();
  await page.locator("#status[data-state=live]").waitFor();
  const rows = page.locator(".taps tbody tr");
  await until("a request is shown", async () => {
    await send(proxy, "world", { path: "/other" });
    await send(proxy, "world", { path: "/tapped/1", headers: { "x-user": "42" } });
    return (await rows.count()) > 0;
  });
  const text = await rows.first().innerText();
  assert.match(text, /outgoing/);
  assert.match(text, /\/tapped\/1/);
  assert.match(text, /200/);
  assert.equal(await page.getByText("/other").count(), 0, "what does not match is not shown");
  await rows.first().getByRole("button", { name: "details" }).click();
  await shot(page, "tapping");
  await page.getByRole("button", { name: "Pause" }).click();
  const shown = await page.getByRole("button", { name: "details" }).count();
  await send(proxy, "world", { path: "/tapped/2" });
  await page.locator("[data-part=counts]", { hasText: "held back" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "details" }).count(), shown);
  await page.getByRole("button", { name: "Resume" }).click();
  await rows.first().getByText("/tapped/2").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Start" }).waitFor();
});
