import assert from "node:assert/strict";
import { test } from "node:test";
import { open, proxyAdmin, shot } from "./kit.mjs";

const url = `${proxyAdmin}delegator?router=outgoing`;

test("a name becomes endpoints, and a node shows its rule", async (t) => {
  const page = await open(t, url);
  await page.getByLabel("name", { exact: true }).fill("/svc/world");
  await page.keyboard.press("Enter");
  await page.locator(".node.good", { hasText: "/#/io.l5d.fs/world" }).last().waitFor();
  assert.match(await page.locator(".summary").innerText(), /Requests for \/svc\/world go to \/#\/io\.l5d\.fs\/world \(1 endpoint\)\./);
  assert.equal(new URL(page.url()).hash, "#/svc/world");
  const leaf = page.locator(".node", { hasText: "Bound Path" });
  assert.match(await leaf.innerText(), /127\.0\.0\.1:\d+/);
  await leaf.click();
  assert.match(await page.locator("tr.hit").innerText(), /^\/srv\s*=>\s*\/#\/io\.l5d\.fs$/);
  await shot(page, "playground-name");
});

test("the fragment of a link is the name, and it follows", async (t) => {
  const page = await open(t, `${url}#/svc/world`);
  await page.locator(".node.good").first().waitFor();
  await page.evaluate(() => { location.hash = "#/svc/broken"; });
  await page.locator(".node.bad", { hasText: "Explicit Failure" }).waitFor();
});

test("branches that lead nowhere say why", async (t) => {
  const page = await open(t, `${url}#/svc/alt`);
  const bad = page.locator(".node.bad", { hasText: "No Further Branch Matches" }).first();
  assert.match(await bad.innerText(), /no rule has a prefix of it, and no namer knows it/);
  await page.locator(".node.good", { hasText: "Bound Path" }).waitFor();
  assert.match(await page.locator(".node", { hasText: "not reached: a branch before it answers" }).first().innerText(), /\/srv\/web/);
  await page.getByLabel("name", { exact: true }).fill("/svc/split");
  await page.keyboard.press("Enter");
  await page.locator(".node", { hasText: "Several Simultaneous Resolution Paths" }).waitFor();
  assert.match(await page.locator(".summary").innerText(), /90 % to \/#\/io\.l5d\.fs\/world .* and 10 % to \/#\/io\.l5d\.fs\/world-v2/);
  await shot(page, "playground-alt");
});

test("an override of a whole request is explained beside what would be without it", async (t) => {
  const page = await open(t, url);
  await page.getByLabel("a whole request").check();
  await page.getByLabel("headers, one a line").fill("Host: world\nl5d-dtab: /host/world => /srv/world-v2");
  await page.getByRole("button", { name: "Go" }).click();
  await page.getByText("With these changes").waitFor();
  const text = await page.locator(".summary").innerText();
  assert.match(text, /Requests for \/svc\/world go to \/#\/io\.l5d\.fs\/world-v2 \(1 endpoint\), because of the rule \/host\/world => \/srv\/world-v2 that this request brings along\. By the rules in force they would go to \/#\/io\.l5d\.fs\/world \(1 endpoint\)\./);
  await page.locator(".node.good", { hasText: "this request" }).waitFor();
  assert.ok(await page.locator(".node .tag", { hasText: /^new$/ }).count() > 0, "what is new is marked");
  await shot(page, "playground-override");

  // The same by the field for the request's rules.
  await page.getByLabel("a name").check();
  await page.getByLabel("name", { exact: true }).fill("/svc/world");
  await page.getByText("Override rules for this request").click();
  await page.getByLabel("rules of this request").fill("/host/world => /srv/web");
  await page.locator(".summary", { hasText: "/srv/web that this request brings along" }).waitFor();
});

test("errors are shown at the place", async (t) => {
  const page = await open(t, `${url}#/svc/world`, { allowed: [400] });
  await page.locator(".node.good").first().waitFor();
  await page.getByText("Override rules for this request").click();
  await page.getByLabel("rules of this request").fill("/host/world => /srv/web ;\n/host/x -> /srv/web");
  const fault = page.locator(".override .fault");
  await fault.waitFor();
  assert.match(await fault.innerText(), /Line 2, column \d+/);
  assert.equal(await page.getByLabel("rules of this request").getAttribute("aria-invalid"), "true");
  await page.getByLabel("rules of this request").fill("");
  await fault.waitFor({ state: "hidden" });
  await page.getByLabel("name", { exact: true }).fill("svc");
  await page.keyboard.press("Enter");
  await page.locator(".answer .banner", { hasText: "Invalid path: '/' expected but 's' found at '[s]vc'" }).waitFor();
});

test("edited rules are compared with those in force, and forgotten", async (t) => {
  const page = await open(t, `${url}#/svc/world`, { allowed: [400] });
  await page.locator(".node.good").first().waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  const field = page.getByLabel("the router's rules").and(page.locator("textarea"));
  const before = await field.inputValue();
  await field.fill(`${before}/host/world => /srv/`);
  await page.locator(".halves .fault").waitFor();
  await shot(page, "playground-fault");
  await field.fill(`${before}/host/world => /srv/world-v2`);
  await page.getByRole("button", { name: "Apply" }).click();
  await page.locator(".summary", { hasText: "because of the rule /host/world => /srv/world-v2 edited here" }).waitFor();
  await page.getByText("edited on this page only").waitFor();
  await shot(page, "playground-edited");
  page.once("dialog", (d) => d.accept());
  await page.getByRole("button", { name: "Reset" }).click();
  await page.locator(".summary", { hasText: /go to \/#\/io\.l5d\.fs\/world \(1 endpoint\)\.$/ }).waitFor();
  assert.equal(await page.getByText("With these changes").count(), 0);
});

test("the keyboard is enough", async (t) => {
  const page = await open(t, url);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
  const reached = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim()));
  }
  for (const want of ["a name", "name", "Go", "Edit", "Reset", "incoming"]) assert.ok(reached.has(want) || want === "a name", `${want} is reached`);
});
