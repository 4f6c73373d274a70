import { el, setText } from "../lib/dom.ts";
import { number } from "../lib/format.ts";
import { searchBox, type Column, Table, type TableOptions } from "../lib/table.ts";
import { linked } from "./columns.ts";

const many = 6; // more than these are folded at first

interface Keyed { key: string }

export interface SectionOptions<R> extends Omit<TableOptions<R>, "key" | "label"> {
  title: string;
  /** note stands beside the title. */
  note?: string;
  /** name and link are what the first column shows and leads to. */
  name(r: R): string;
  link?(r: R): string;
  title1: string;
}

/** Section is a card with a table that can be searched, and folds where rows have details. */
export class Section<R extends Keyed> {
  readonly element: HTMLElement;
  readonly table: Table<R>;
  readonly tools = el("span", { class: "tools" });
  readonly #count = el("small");
  readonly #folds: boolean;
  #touched = false;

  constructor(o: SectionOptions<R>) {
    this.#folds = o.detail !== undefined;
    const first: Column<R> = {
      id: "name", head: o.title1, width: 3, text: true, by: o.name,
      cell: (r, td) => {
        if (this.#folds) this.#fold(r, td, o.name(r));
        if (o.link) return linked(td, o.name(r), o.link(r));
        if (!this.#folds) return o.name(r);
        const text = td.querySelector(".name") ?? td.appendChild(el("span", { class: "name" }));
        setText(text, o.name(r));
        return undefined;
      },
    };
    this.table = new Table<R>({ ...o, label: o.title, key: (r) => r.key, columns: [first, ...o.columns] });
    if (this.#folds) {
      for (const [text, on] of [["Expand all", true], ["Collapse all", false]] as const) {
        this.tools.append(el("button", { type: "button", class: "quiet", onclick: () => {
          this.#touched = true;
          this.table.open(on);
        } }, text));
      }
    }
    const head = el("div", { class: "headline" }, el("h2", {}, o.title, this.#count), o.note ? el("span", { class: "note" }, o.note) : null, this.tools, searchBox(this.table, `search ${o.title.toLowerCase()}`));
    this.element = el("section", { class: "card", "data-grid": o.title.toLowerCase(), "aria-label": o.title }, head, this.table.element);
  }

  update(rows: R[]): void {
    setText(this.#count, number(rows.length));
    if (this.#folds && !this.#touched) {
      for (const r of rows) if (this.table.isOpen(r.key) !== rows.length <= many) this.table.open(rows.length <= many, r.key);
    }
    this.table.update(rows);
  }

  #fold(r: R, td: HTMLElement, name: string): void {
    let button = td.querySelector<HTMLButtonElement>(".fold");
    if (!button) {
      button = el("button", { type: "button", class: "fold" });
      button.addEventListener("click", () => {
        this.#touched = true;
        this.table.open(!this.table.isOpen(td.dataset.fold ?? ""), td.dataset.fold);
      });
      td.append(button);
    }
    td.dataset.fold = r.key;
    const on = this.table.isOpen(r.key);
    setText(button, on ? "▾" : "▸");
    button.setAttribute("aria-expanded", String(on));
    button.setAttribute("aria-label", `details of ${name}`);
  }
}
