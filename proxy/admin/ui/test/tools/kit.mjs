// What the scripts of this folder share: a browser, pages that must stay silent, pictures.

import assert from "node:assert/strict";
import http from "node:http";
import { after } from "node:test";
import { chromium } from "playwright-core";

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set`);

/** proxyAdmin, namerdAdmin, … are where the servers of the Go test are, with a slash at the end. */
export const proxyAdmin = env("WEFT_PROXY_ADMIN"), meshAdmin = env("WEFT_MESH_ADMIN"), namerdAdmin = env("WEFT_NAMERD_ADMIN"), closedAdmin = env("WEFT_CLOSED_ADMIN");
/** namerdApi is the HTTP API of the namerd of namerdAdmin. */
export const namerdApi = env("WEFT_NAMERD_API");
export const proxy = env("WEFT_PROXY"), mesh = env("WEFT_MESH");

const browser = await chromium.launch({ executablePath: env("WEFT_UI_CHROMIUM"), args: ["--no-sandbox"] });
after(() => browser.close());

/** open opens a page in which nothing may be logged and no other host asked. allowed are statuses that the page itself provokes. */
export async function open(t, address, { scheme = "light", allowed = [], width = 1280 } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } });
  const page = await context.newPage(), said = [], foreign = [];
  page.setDefaultTimeout(20_000);
  page.on("console", (m) => {
    // Chromium itself logs every answer that is an error.
    const expected = allowed.some((status) => m.text().includes(`status of ${status}`));
    if (!expected) said.push(m.text());
  });
  page.on("pageerror", (e) => said.push(String(e)));
  page.on("request", (r) => {
    if (new URL(r.url()).origin !== new URL(address).origin) foreign.push(r.url());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(said, [], "nothing is logged");
    assert.deepEqual(foreign, [], "no other host is asked");
  });
  await page.goto(address);
  return page;
}

/** shot takes a picture for a person to look at, where WEFT_SHOTS says, in both schemes. */
export async function shot(page, name) {
  const dir = process.env.WEFT_SHOTS;
  if (!dir) return;
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: `${dir}/${name}-${scheme}.png`, fullPage: true });
  }
}

/** send sends a request through a proxy and returns the status and the body. */
export function send(to, host, { path = "/", headers = {} } = {}) {
  const u = new URL(to);
  return new Promise((resolve, reject) => {
    const req = http.request({ host: u.hostname, port: u.port, path, headers: { Host: host, ...headers }, agent: false }, (rep) => {
      let body = "";
      rep.on("data", (b) => { body += b; });
      rep.on("end", () => resolve({ status: rep.statusCode, body }));
    });
    req.on("error", reject).end();
  });
}

/** until waits until a condition holds. */
export async function until(what, f, ms = 20_000) {
  for (const end = Date.now() + ms; ;) {
    const v = await f();
    if (v) return v;
    assert.ok(Date.now() < end, `in time: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}
