import assert from "node:assert/strict";
import { test } from "node:test";
import { open, proxyAdmin, shot } from "./kit.mjs";

test("levels are set and searched", async (t) => {
  const page = await open(t, `${proxyAdmin}logging`);
  const root = page.getByLabel("level of root", { exact: true });
  await root.waitFor();
  await root.selectOption("WARNING");
  await page.getByText("root is at WARNING now.").waitFor({ state: "attached" });
  await page.reload();
  assert.equal(await page.getByLabel("level of root", { exact: true }).inputValue(), "WARNING");
  await page.getByLabel("search loggers").fill("nothing like it");
  await page.getByText("no logger matches").waitFor();
  await page.getByLabel("search loggers").fill("");
  await page.getByLabel("level of root", { exact: true }).selectOption("INFO");
  await shot(page, "logging");
});

test("help is there", async (t) => {
  const page = await open(t, `${proxyAdmin}help`);
  await page.getByText("explain.json", { exact: true }).waitFor();
  await shot(page, "help");
});
