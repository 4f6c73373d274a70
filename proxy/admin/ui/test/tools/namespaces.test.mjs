import assert from "node:assert/strict";
import { test } from "node:test";
import { closedAdmin, mesh, meshAdmin, namerdAdmin, namerdApi, open, send, shot, until } from "./kit.mjs";

const api = async (path, body) => (await fetch(namerdAdmin + path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();

test("the namespaces are listed, and one is made", async (t) => {
  const page = await open(t, namerdAdmin, { allowed: [400] });
  await page.getByRole("link", { name: "default", exact: true }).waitFor();
  await page.getByText("Make a namespace").click();
  await page.getByLabel("name of the new namespace").fill("fresh/one");
  await page.getByLabel("rules of the new namespace").fill("/svc => ");
  await page.locator(".fault", { hasText: "Line 1" }).waitFor();
  await page.getByLabel("rules of the new namespace").fill("/svc => /#/io.l5d.fs");
  await shot(page, "namespaces");
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/dtab\/fresh\/one$/);
  await page.locator(".dtab tr", { hasText: "/#/io.l5d.fs" }).first().waitFor();
});

test("an edit shows what it would do, and then changes the routing of a real proxy", async (t) => {
  await until("the proxy routes", async () => (await send(mesh, "world")).body === "world");
  const page = await open(t, `${namerdAdmin}dtab/default`, { allowed: [400] });
  await page.getByRole("button", { name: "try /svc/world" }).waitFor();
  await page.getByRole("button", { name: "Edit rules" }).click();
  const field = page.locator("textarea");
  await until("the editor has the rules", async () => (await field.inputValue()).includes("/svc => /host"));
  const before = await field.inputValue();
  await field.fill(`${before}/host/world = /srv/world-v2`);
  await page.locator(".fault", { hasText: /Line \d+, column \d+/ }).waitFor();
  await shot(page, "namespace-fault");
  await field.fill(`${before}/host/world => /srv/world-v2`);
  await page.locator(".diff tr.added", { hasText: "/srv/world-v2" }).waitFor();
  await shot(page, "namespace-editing");
  await page.getByRole("button", { name: "Review the change" }).click();
  const effect = page.locator("tr[data-kind=rerouted]", { hasText: "/svc/world" });
  await effect.waitFor();
  assert.match(await effect.innerText(), /\/#\/io\.l5d\.fs\/world 1 endpoint\s+\/#\/io\.l5d\.fs\/world-v2 1 endpoint/);
  await page.getByLabel("your name").fill("Ada");
  await page.getByLabel("reason").fill("v2 for everybody");
  await shot(page, "namespace-review");
  assert.equal((await send(mesh, "world")).body, "world", "nothing changes before it is saved");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("v2 for everybody").first().waitFor();
  await until("the proxy routes by the new rule", async () => (await send(mesh, "world")).body === "world-v2");
  await shot(page, "namespace-saved");

  // What fails is said.
  await page.getByRole("button", { name: "Edit rules" }).click();
  await field.fill("/srv => /#/io.l5d.fs");
  await page.getByRole("button", { name: "Review the change" }).click();
  await page.locator("tr[data-kind=lost]", { hasText: "/svc/world" }).waitFor();
  await shot(page, "namespace-lost");
  page.once("dialog", (d) => d.accept());
  await page.getByRole("button", { name: "Back to the draft" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();

  // And back, by the history.
  await page.getByRole("button", { name: "Edit back to this" }).first().click();
  await page.locator(".diff tr.removed:visible", { hasText: "/srv/world-v2" }).waitFor();
  await page.getByRole("button", { name: "Review the change" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await until("the proxy routes as before", async () => (await send(mesh, "world")).body === "world");
});

test("a change by somebody else is shown, and a draft brought up to date", async (t) => {
  const { version, dtab } = await api("namespace.json?namespace=default");
  const page = await open(t, `${namerdAdmin}dtab/default`, { allowed: [412] });
  await page.getByRole("button", { name: "Edit rules" }).click();
  const field = page.locator("textarea");
  await until("the editor has the rules", async () => (await field.inputValue()).includes("/svc => /host"));
  await field.fill(`${await field.inputValue()}/host/mine => /srv/web ;`);
  const saved = await api("namespace/save.json", { namespace: "default", dtab: `/theirs => /srv ;\n${dtab}`, version, author: "Bob", reason: "mine first" });
  assert.ok(saved.version, JSON.stringify(saved));
  const banner = page.locator(".banner", { hasText: "Somebody else has changed this namespace" });
  await banner.waitFor();
  assert.match(await banner.innerText(), /by Bob/);
  await banner.locator("tr.added", { hasText: "/theirs" }).waitFor();
  await shot(page, "namespace-conflict");
  await page.getByRole("button", { name: "Bring my change up to date" }).click();
  await until("the draft has both", async () => /\/theirs[\s\S]*\/host\/mine/.test(await field.inputValue()));
  await page.getByRole("button", { name: "Review the change" }).click();
  await page.getByLabel("reason").fill("mine too");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("mine too").first().waitFor();
  const after = await api("namespace.json?namespace=default");
  assert.match(after.dtab, /\/theirs[\s\S]*\/host\/mine/);
});

test("a namespace is deleted when its name is typed, with what that does shown before, unless somebody has changed it", async (t) => {
  const made = await api("namespace/save.json", { namespace: "doomed", dtab: "/svc => /#/io.l5d.fs", version: "", author: "Ada", reason: "for a while" });
  assert.ok(made.version, JSON.stringify(made));
  const bound = await fetch(`${namerdApi}api/1/bind/doomed?path=/svc/world&watch=true`);
  assert.equal(bound.status, 200); // and held
  t.after(() => bound.body.cancel());
  const page = await open(t, `${namerdAdmin}dtab/doomed`, { allowed: [412] });
  await page.getByRole("button", { name: "try /svc/world" }).waitFor();
  await page.getByRole("button", { name: "Delete …" }).click();
  const card = page.getByRole("region", { name: "delete the namespace" }), button = card.getByRole("button", { name: "Delete this namespace" });
  await card.locator("tr[data-kind=lost]", { hasText: "/svc/world" }).waitFor();
  await card.locator(".diff tr.removed", { hasText: "/#/io.l5d.fs" }).waitFor();
  assert.ok(await button.isDisabled());
  await card.getByLabel("To delete it").fill("doome");
  assert.ok(await button.isDisabled(), "that is not its name");
  await card.getByLabel("To delete it").fill("doomed");
  await card.getByLabel("reason").fill("it is of no use any more");
  await shot(page, "namespace-delete");

  // Somebody has changed it since, which the page may or may not know yet.
  const theirs = await api("namespace/save.json", { namespace: "doomed", dtab: "/svc => /#/io.l5d.fs ; /theirs => /x", version: made.version, author: "Bob", reason: "I need it" });
  assert.ok(theirs.version, JSON.stringify(theirs));
  await button.click({ timeout: 2000 }).catch(() => {}); // it may be disabled by now
  const banner = card.locator(".banner", { hasText: "Somebody else has changed this namespace meanwhile" });
  await banner.waitFor();
  assert.match(await banner.innerText(), /by Bob.*“I need it”/);
  assert.ok(await button.isDisabled());
  assert.match((await api("namespace.json?namespace=doomed")).dtab, /\/theirs/, "it is still there");
  await shot(page, "namespace-delete-conflict");
  await banner.getByRole("button", { name: "Look at it again" }).click();
  await card.locator(".diff tr.removed", { hasText: "/theirs" }).waitFor();
  await button.click();
  await page.waitForURL(namerdAdmin);
  await page.getByRole("link", { name: "default", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "doomed", exact: true }).count(), 0);
  assert.equal((await fetch(`${namerdAdmin}namespace.json?namespace=doomed`)).status, 404);
});

test("a deletion is thought better of", async (t) => {
  const page = await open(t, `${namerdAdmin}dtab/empty`);
  await page.getByRole("button", { name: "Delete …" }).click();
  const card = page.getByRole("region", { name: "delete the namespace" });
  await card.getByText("no traffic to compare").waitFor();
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Delete …", "the focus is back");
  await page.getByRole("button", { name: "Edit rules" }).waitFor();
});

test("names are tried out by the rules of the namespace", async (t) => {
  const page = await open(t, `${namerdAdmin}dtab/default#/svc/world`);
  await page.locator(".node.good").last().waitFor();
  assert.match(await page.locator(".summary").innerText(), /goes to \/#\/io\.l5d\.fs\/world/);
});

test("a server that lets no changes through has no editor", async (t) => {
  const page = await open(t, `${closedAdmin}dtab/default`);
  await page.getByText("read-only").waitFor();
  assert.equal(await page.getByRole("button", { name: "Edit rules" }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Save" }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Delete …" }).isVisible(), false);
});

test("a router behind namerd shows the stored rules, read-only", async (t) => {
  const page = await open(t, `${meshAdmin}delegator#/svc/world`);
  await page.locator(".node.good").last().waitFor();
  await page.getByText("Stored rules").waitFor();
  await page.locator(".node .tag", { hasText: "stored" }).first().waitFor();
  await shot(page, "playground-stored");
});
