// Dtabs in the page: as text, as tables, and as something to be edited.

import { el, setText } from "./dom.ts";
import { Fault } from "./fault.ts";
import type { Dentry } from "./page.ts";

/** rulesOf takes a dtab's text apart, a rule a line, as the server writes it. */
export function rulesOf(text: string): Dentry[] {
  return text.split(";").map((s) => s.trim()).filter((s) => s).map((s) => {
    const at = s.indexOf("=>");
    return at < 0 ? { prefix: s, dst: "" } : { prefix: s.slice(0, at).trim(), dst: s.slice(at + 2).trim() };
  });
}

/** rulesTable shows rules; mark highlights one of them. */
export class RulesTable {
  readonly element: HTMLTableElement;
  readonly #body = el("tbody");

  constructor(label: string, rules: Dentry[] = []) {
    this.element = el("table", { class: "dtab", "aria-label": label }, this.#body);
    this.show(rules);
  }

  show(rules: Dentry[]): void {
    this.#body.replaceChildren(...rules.map((d) => el("tr", {}, el("td", {}, d.prefix), el("td", { class: "arrow" }, "=>"), el("td", {}, d.dst))));
    if (!rules.length) this.#body.append(el("tr", {}, el("td", { class: "none" }, "empty")));
  }

  mark(d: Dentry | undefined): void {
    for (const row of this.#body.rows) {
      const [prefix, , dst] = [...row.cells].map((c) => c.textContent);
      row.classList.toggle("hit", !!d && prefix === d.prefix && dst === d.dst);
    }
  }
}

let fields = 0;

/**
 * RulesField is a dtab that is edited: a text, and below it what is wrong with it, with
 * the line and a mark under the place.
 */
export class RulesField {
  readonly element: HTMLElement;
  readonly text: HTMLTextAreaElement;
  readonly #fault: HTMLElement;
  readonly #message = el("span");
  readonly #excerpt = el("pre", { "aria-hidden": "true" });
  readonly #go: HTMLButtonElement;
  #offset = 0;

  constructor(label: string, onInput: () => void, rows = 8) {
    const id = `rules-${++fields}`;
    this.text = el("textarea", { "aria-label": label, "aria-describedby": `${id}-fault`, spellcheck: "false", autocomplete: "off", autocapitalize: "off", rows });
    this.text.addEventListener("input", onInput);
    this.#go = el("button", { type: "button", class: "quiet", onclick: () => this.#select() }, "Go to the place");
    this.#fault = el("div", { class: "fault", id: `${id}-fault`, role: "status" }, this.#message, this.#excerpt, this.#go);
    this.element = el("div", { class: "field" }, this.text, this.#fault);
    this.fault(undefined);
  }

  get value(): string {
    return this.text.value;
  }

  set value(v: string) {
    this.text.value = v;
    this.text.rows = Math.max(4, Math.min(24, v.split("\n").length + 1));
    this.fault(undefined);
  }

  /** fault shows what is wrong, or that nothing is. */
  fault(f: Fault | undefined): void {
    this.#fault.hidden = !f;
    if (!f) {
      this.text.removeAttribute("aria-invalid");
      setText(this.#message, "");
      return;
    }
    this.text.setAttribute("aria-invalid", "true");
    const placed = f.line > 0;
    const what = / expected but .*? found/s.exec(f.message.replace(/^Invalid \w+: /, "")) ? f.message.replace(/^Invalid \w+: /, "").split(" found at ")[0] + " found" : f.message;
    setText(this.#message, placed ? `Line ${f.line}, column ${f.column}: ${what}` : f.message);
    this.#excerpt.hidden = this.#go.hidden = !placed;
    if (!placed) return;
    this.#offset = f.offset;
    const line = this.text.value.split("\n")[f.line - 1] ?? "", at = [...line].slice(0, f.column - 1).join("");
    setText(this.#excerpt, `${line}\n${at.replace(/[^\t]/g, " ")}▲`);
  }

  #select(): void {
    this.text.focus();
    this.text.setSelectionRange(this.#offset, Math.min(this.#offset + 1, this.text.value.length));
  }
}

/** soon calls f when nothing has happened for a while. */
export function soon(f: () => void, ms = 250): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(f, ms);
  };
}
