import { el, setText } from "../lib/dom.ts";
import { bytes, duration, number, unknown } from "../lib/format.ts";
import type { Process } from "./model.ts";

/** ProcessInfo says how the process does. */
export class ProcessInfo {
  readonly element: HTMLElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    const list = el("dl", { class: "figures" });
    const version = document.querySelector(".version")?.textContent || unknown;
    for (const [id, name] of [["version", "version"], ["uptime", "uptime"], ["threads", "threads"], ["goroutines", "goroutines"], ["memory", "memory used"], ["gc", "time in gc"], ["fds", "open files"]] as const) {
      const dd = el("dd", { "data-process": id }, id === "version" ? version : unknown);
      this.#values.set(id, dd);
      list.append(el("div", {}, el("dt", {}, name), dd));
    }
    this.element = el("section", { class: "card", "aria-label": "process" }, el("h2", {}, "Process"), list);
  }

  update(p: Process): void {
    const set = (id: string, text: string): void => {
      const dd = this.#values.get(id);
      if (dd) setText(dd, text);
    };
    set("uptime", duration(p.uptime));
    set("threads", number(p.threads));
    set("goroutines", number(p.goroutines));
    set("memory", bytes(p.memory));
    set("gc", duration(p.gc));
    set("fds", number(p.fds));
  }
}
