import { el, setText } from "../lib/dom.ts";
import { unknown } from "../lib/format.ts";

/** Topline is the row of large figures: names and what they show at first. */
export class Topline {
  readonly element: HTMLDListElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(figures: [id: string, name: string, title?: string][]) {
    this.element = el("dl", { class: "totals", "data-part": "topline" });
    for (const [id, name, title] of figures) {
      const dd = el("dd", { "data-total": id }, unknown);
      this.#values.set(id, dd);
      this.element.append(el("div", { title }, el("dt", {}, name), dd));
    }
  }

  set(id: string, text: string, grade = ""): void {
    const dd = this.#values.get(id);
    if (!dd) return;
    setText(dd, text);
    if (dd.className !== grade) dd.className = grade;
  }
}
