import { element } from "./delegation.js";

const levels = ["ALL", "TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL", "OFF"];
const rows = document.querySelector("#loggers tbody"), offline = document.getElementById("offline");

async function load() {
  const rep = await fetch("./logging.json");
  if (!rep.ok) throw new Error("logging.json: status " + rep.status);
  rows.replaceChildren(...(await rep.json()).map(({ logger, level }) => {
    const row = element("tr"), cell = element("td"), choice = element("select");
    choice.ariaLabel = "level of " + logger;
    choice.append(...levels.map((l) => new Option(l, l, false, l === level)));
    choice.addEventListener("change", () => attempt(async () => {
      const set = await fetch("./logging.json", { method: "POST", body: new URLSearchParams({ logger, level: choice.value }) });
      if (!set.ok) throw new Error(await set.text());
      await load();
    }));
    cell.append(choice);
    row.append(element("td", "", logger), cell);
    return row;
  }));
}

async function attempt(f) {
  try {
    await f();
    offline.hidden = true;
  } catch (err) {
    offline.textContent = err.message;
    offline.hidden = false;
  }
}

attempt(load);
