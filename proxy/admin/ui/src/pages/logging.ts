import { el, find } from "../lib/dom.ts";
import { getJSON, postForm } from "../lib/net.ts";
import "../lib/page.ts";
import { problem } from "../lib/poll.ts";

const levels = ["ALL", "TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL", "OFF"];
const rows = find("#loggers tbody");

async function load(): Promise<void> {
  const all = await getJSON<{ logger: string; level: string }[]>("logging.json");
  rows.replaceChildren(...all.map(({ logger, level }) => {
    const choice = el("select", { "aria-label": `level of ${logger}` });
    choice.append(...levels.map((l) => new Option(l, l, false, l === level)));
    choice.addEventListener("change", () => void attempt(async () => {
      await postForm("logging.json", { logger, level: choice.value });
      await load();
    }));
    return el("tr", {}, el("th", { scope: "row" }, logger), el("td", {}, choice));
  }));
}

async function attempt(f: () => Promise<void>): Promise<void> {
  try {
    await f();
    problem("");
  } catch (err) {
    problem(err instanceof Error ? err.message : String(err));
  }
}

void attempt(load);
