// What browser tests share: Chromium, a page that notes what goes wrong, and the stub
// server's control.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";

export const base = process.env.WEFT_UI;

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.WEFT_UI_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
after(() => browser?.close());

// open returns a page, whose problems() are what was logged to the console, what was
// asked of other hosts, and what was answered with an error. There may be another server
// than the one of all tests.
export async function open(path = "", { base: server = base, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000); // machines are busy
  const problems = [];
  page.on("console", (m) => problems.push(`console ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => problems.push(`error: ${e.stack}`));
  page.on("request", (r) => { if (new URL(r.url()).origin !== new URL(server).origin) problems.push(`asks ${r.url()}`); });
  page.on("response", (r) => { if (r.status() >= 400) problems.push(`${r.status()} ${r.url()}`); });
  await page.goto(server + path);
  return Object.assign(page, {
    problems: () => problems.splice(0),
    async done() {
      assert.deepEqual(problems, []);
      await context.close();
    },
  });
}

// tell makes the stub server do something.
export async function tell(command) {
  const rep = await fetch(`${process.env.WEFT_UI_CONTROL}/${command}`);
  assert.equal(rep.status, 200, command);
}

// picture is for a person to look at.
export async function picture(page, name, options = {}) {
  const dir = process.env.WEFT_SHOTS;
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`), ...options });
}

// number reads a figure; what is unknown is NaN.
export async function figure(page, id) {
  return parseFloat((await page.locator(`[data-total="${id}"]`).first().textContent()).replaceAll(",", ""));
}

// names are those in the first column of a table, top to bottom, as far as they are drawn.
export function names(page, grid) {
  return page.locator(`[data-grid="${grid}"] tbody tr[data-key] th a`).allTextContents();
}

// paint returns a digest of what a canvas shows.
export function paint(page, selector) {
  return page.locator(selector).first().evaluate((c) => {
    const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(c, 0, 0);
    const { data } = copy.getImageData(0, 0, c.width, c.height);
    let h = 0;
    for (let i = 0; i < data.length; i += 4) h = (h * 31 + data[i] + 3 * data[i + 1] + 5 * data[i + 2] + 7 * data[i + 3]) | 0;
    return h;
  });
}

// audit checks by hand what tools for accessibility check: names, roles, headers, contrast.
export async function audit(page) {
  const found = await page.evaluate(() => {
    const bad = [];
    const seen = (e) => e.checkVisibility();
    const name = (e) => (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.getAttribute("alt") || e.title || "").trim();
    const say = (what, e) => bad.push(`${what}: ${e.outerHTML.slice(0, 140)}`);
    if (!document.documentElement.lang) bad.push("no language");
    if (!document.title) bad.push("no title");
    if (document.querySelectorAll("main").length !== 1) bad.push("not one main");
    if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
    for (const e of document.querySelectorAll("a[href], button, input, select, textarea, [role=img], [role=region], [role=meter], nav, table.rows")) if (seen(e) && !name(e)) say("no name", e);
    for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) say("no alt", e);
    for (const e of document.querySelectorAll("[id]")) if (document.querySelectorAll(`#${CSS.escape(e.id)}`).length > 1) say("id twice", e);
    for (const e of document.querySelectorAll("table.rows th")) if (!e.getAttribute("scope")) say("header without scope", e);
    for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) say("tabindex above 0", e);
    for (const e of document.querySelectorAll("[style], script:not([src]):not([type='application/json'])")) if (e.tagName === "SCRIPT") say("inline script", e);

    const ctx = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (css) => { ctx.clearRect(0, 0, 1, 1); ctx.fillStyle = css; ctx.fillRect(0, 0, 1, 1); return [...ctx.getImageData(0, 0, 1, 1).data]; };
    const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
    const under = (e) => {
      for (let at = e; at; at = at.parentElement) {
        const s = getComputedStyle(at), stops = s.backgroundImage.match(/rgba?\([^)]*\)|#[0-9a-f]+/g);
        if (stops) return stops.map(rgba);
        const c = rgba(s.backgroundColor);
        if (c[3] === 255) return [c];
      }
      return [rgba(getComputedStyle(document.documentElement).backgroundColor)];
    };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const e = n.parentElement;
      if (!n.data.trim() || !seen(e) || e.closest(".hidden, .skip, option, script, noscript") || getComputedStyle(e).visibility === "hidden") continue;
      const s = getComputedStyle(e), size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && s.fontWeight >= 700);
      for (const back of under(e)) {
        const a = light(rgba(s.color)), b = light(back), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)} of "${n.data.trim().slice(0, 20)}"`, e);
      }
    }
    return [...new Set(bad)];
  });
  assert.deepEqual(found, []);
}

// tasks returns what the page's main thread did meanwhile: for each task longer than a
// frame its time on the processor and its time by the clock, in milliseconds, longest
// first. A busy machine makes the second longer, not the first.
export async function tasks(page, meanwhile) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await meanwhile();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`));
  const list = traceEvents.filter((e) => e.ph === "X" && /RunTask/.test(e.name) && main.has(`${e.pid} ${e.tid}`));
  assert.ok(list.length > 50, `${list.length} tasks were seen`);
  const parts = traceEvents.filter((e) => e.ph === "X" && e.tdur > 1000 && !/RunTask/.test(e.name) && main.has(`${e.pid} ${e.tid}`));
  // within says what a task has done, in milliseconds on the processor; parts are within one another.
  const within = (t) => {
    const sums = {};
    for (const e of parts) if (e.pid === t.pid && e.tid === t.tid && e.ts >= t.ts && e.ts + e.dur <= t.ts + t.dur) sums[e.name] = (sums[e.name] ?? 0) + e.tdur / 1000;
    return Object.entries(sums).sort(([, a], [, b]) => b - a).map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(", ");
  };
  return list.map((e) => ({ cpu: (e.tdur ?? NaN) / 1000, wall: e.dur / 1000, get parts() { return within(e); } })).sort((a, b) => b.cpu - a.cpu);
}

// becomes waits until f gives what is wanted: pages draw with the next frame, which a busy
// machine has a while later.
export async function becomes(f, want) {
  const end = Date.now() + 20_000;
  let last = await f();
  while (!isDeepStrictEqual(last, want) && Date.now() < end) {
    await new Promise((r) => setTimeout(r, 20));
    last = await f();
  }
  assert.deepEqual(last, want);
}

// until waits for a condition that is evaluated here.
export async function until(what, f, limitMs = 60_000) {
  const end = Date.now() + limitMs;
  let last;
  while (Date.now() < end) {
    last = await f();
    if (last) return last;
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.fail(`${what}: not within ${limitMs} ms, last ${JSON.stringify(last)}`);
}
