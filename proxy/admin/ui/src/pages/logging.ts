import "../css/tools.css";
import { el, find, setText } from "../lib/dom.ts";
import { getJSON, postForm } from "../lib/net.ts";
import "../lib/page.ts";
import { problem } from "../lib/poll.ts";
import { matches } from "../lib/order.ts";

// The level of every logger, to be read and set.

const levels = ["ALL", "TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL", "OFF"];
const rows = find("#loggers tbody"), filter = find<HTMLInputElement>("#filter"), said = find("#said");
let all: { logger: string; level: string }[] = [];

function show(): void {
  const focused = (document.activeElement as HTMLElement | null)?.getAttribute("aria-label");
  rows.replaceChildren(...all.filter((l) => matches(`${l.logger} ${l.level}`, filter.value)).map(({ logger, level }) => {
    const choice = el("select", { "aria-label": `level of ${logger}` });
    choice.append(...levels.map((l) => new Option(l, l, false, l === level)));
    choice.addEventListener("change", () => void attempt(async () => {
      await postForm("logging.json", { logger, level: choice.value });
      await load();
      setText(said, `${logger} is at ${choice.value} now.`);
    }));
    return el("tr", {}, el("th", { scope: "row", class: "mono" }, logger), el("td", {}, choice));
  }));
  if (!rows.firstChild) rows.append(el("tr", {}, el("td", { class: "none", colspan: 2 }, "no logger matches")));
  if (focused) [...rows.querySelectorAll("select")].find((s) => s.getAttribute("aria-label") === focused)?.focus();
}

async function load(): Promise<void> {
  all = await getJSON<{ logger: string; level: string }[]>("logging.json");
  show();
}

async function attempt(f: () => Promise<void>): Promise<void> {
  try {
    await f();
    problem("");
  } catch (err) {
    problem(err instanceof Error ? err.message : String(err));
  }
}

filter.addEventListener("input", show);
void attempt(load);
