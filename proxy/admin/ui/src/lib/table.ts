import { el, setAttribute, setText } from "./dom.ts";
import { compare, type Key, matches } from "./order.ts";
import { Turns } from "./turns.ts";
import { slice } from "./window.ts";

export interface Column<R> {
  id: string;
  head: string;
  /** title explains the column. */
  title?: string;
  /** width is the share of the table's width; 1 unless given. */
  width?: number;
  text?: boolean; // left-aligned
  /** by is what rows are sorted by; a column without is not sortable. */
  by?(row: R): Key;
  /** cell returns the cell's text, or draws into the cell and returns nothing. */
  cell(row: R, td: HTMLTableCellElement): string | undefined;
}

export interface Detail<R> {
  element: HTMLElement;
  update(row: R): void;
  close?(): void;
}

export interface TableOptions<R> {
  /** label names the table to screen readers. */
  label: string;
  columns: Column<R>[];
  key(row: R): string;
  /** search is the text that is searched; the key unless given. */
  search?(row: R): string;
  /** empty is shown when there are no rows. */
  empty: string;
  sort?: { id: string; descending: boolean };
  /** minWidth is the width in pixels below which the table scrolls sideways. */
  minWidth?: number;
  /** detail makes what a row shows when it is open; details have one height. */
  detail?: { height: number; make(row: R): Detail<R> };
}

const rowHeight = 34; // as in the style sheet
const extra = 6;
const turns = new Turns(); // of all tables of the page

interface Shown<R> {
  tr: HTMLTableRowElement;
  row: R;
  detail?: { tr: HTMLTableRowElement; part: Detail<R> };
}

/**
 * Table shows rows of which only those in sight are in the page. Numbers change in
 * place; while the pointer or the focus is in the table, rows keep their places.
 */
export class Table<R> {
  readonly element: HTMLElement;
  readonly #o: TableOptions<R>;
  readonly #head: HTMLTableRowElement;
  readonly #table: HTMLTableElement;
  readonly #body = el("tbody");
  readonly #above = spacer();
  readonly #below = spacer();
  readonly #none: HTMLTableRowElement;
  readonly #shown = new Map<string, Shown<R>>();
  readonly #open = new Set<string>();
  #all: R[] = [];
  #rows: R[] = [];
  #places = new Map<string, number>();
  #search = "";
  #sort: { id: string; descending: boolean } | undefined;
  #frame = 0;
  // To read these from the page would lay it out, once for every table in every reading.
  #scrolled = 0;
  #visible = 0;
  readonly #observer = new ResizeObserver(([e]) => {
    this.#visible = e?.contentRect.height ?? 0;
    this.#later();
  });

  constructor(o: TableOptions<R>) {
    this.#o = o;
    this.#sort = o.sort;
    const columns = o.columns, total = columns.reduce((n, c) => n + (c.width ?? 1), 0);
    const group = el("colgroup");
    for (const c of columns) {
      const col = el("col");
      col.style.width = `${(100 * (c.width ?? 1)) / total}%`;
      group.append(col);
    }
    this.#head = el("tr", { "aria-rowindex": 1 });
    for (const c of columns) this.#head.append(this.#heading(c));
    const cell = el("td", { class: "none", colspan: columns.length }, o.empty);
    this.#none = el("tr", {}, cell);
    this.#table = el("table", { class: "rows", "aria-label": o.label }, group, el("thead", {}, this.#head), this.#body);
    if (o.minWidth) this.#table.style.minWidth = `${o.minWidth}px`;
    this.element = el("div", { class: "scroll", role: "region", "aria-label": o.label, tabindex: 0 }, this.#table);
    this.element.addEventListener("scroll", () => {
      this.#scrolled = this.element.scrollTop;
      this.#later();
    }, { passive: true });
    this.#observer.observe(this.element);
    this.#mark();
  }

  /** update shows other rows, and numbers anew. */
  update(rows: R[]): void {
    this.#all = rows;
    turns.ask(this.#renew);
  }

  readonly #renew = (): void => {
    this.#arrange(this.element.matches(":hover, :focus-within"));
    this.#draw();
  };

  /** search leaves the rows that have every word; it returns how many. */
  search(text: string): number {
    this.#search = text.trim();
    this.#arrange(false);
    this.element.scrollTop = this.#scrolled = 0;
    this.#draw();
    return this.#rows.length;
  }

  get count(): { shown: number; all: number } {
    return { shown: this.#rows.length, all: this.#all.length };
  }

  /** open shows the details of a row, or of all rows, or no longer. */
  open(on: boolean, key?: string): void {
    for (const k of key === undefined ? this.#all.map(this.#o.key) : [key]) {
      if (on) this.#open.add(k);
      else this.#open.delete(k);
    }
    this.#draw();
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /** close ends what the details of rows have running. */
  close(): void {
    cancelAnimationFrame(this.#frame);
    turns.forget(this.#renew);
    this.#observer.disconnect();
    for (const [k, s] of this.#shown) this.#drop(k, s);
  }

  #heading(c: Column<R>): HTMLTableCellElement {
    const th = el("th", { scope: "col", title: c.title, class: c.text && "text", "data-column": c.id });
    if (!c.by) {
      th.append(c.head);
      return th;
    }
    const button = el("button", { type: "button" }, c.head);
    button.addEventListener("click", () => {
      const same = this.#sort?.id === c.id;
      this.#sort = { id: c.id, descending: same ? !this.#sort?.descending : !c.text };
      this.#mark();
      this.#arrange(false);
      this.#draw();
    });
    th.append(button);
    return th;
  }

  #mark(): void {
    for (const th of this.#head.cells) {
      if (th.dataset.column === this.#sort?.id) th.setAttribute("aria-sort", this.#sort?.descending ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
  }

  #arrange(hold: boolean): void {
    const { key, search = key } = this.#o;
    const rows = this.#search ? this.#all.filter((r) => matches(search(r), this.#search)) : [...this.#all];
    const by = this.#o.columns.find((c) => c.id === this.#sort?.id)?.by, descending = this.#sort?.descending ?? false;
    const places = this.#places;
    if (hold) rows.sort((a, b) => (places.get(key(a)) ?? Infinity) - (places.get(key(b)) ?? Infinity) || compare(key(a), key(b), false));
    else rows.sort((a, b) => (by ? compare(by(a), by(b), descending) : 0) || compare(key(a), key(b), false));
    this.#rows = rows;
    this.#places = new Map(rows.map((r, i) => [key(r), i]));
    for (const k of this.#open) if (!this.#places.has(k) && !this.#all.some((r) => key(r) === k)) this.#open.delete(k);
  }

  #later(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { key, detail } = this.#o, rows = this.#rows, body = this.#body;
    const open = [...this.#open].map((k) => this.#places.get(k)).filter((i) => i !== undefined).sort((a, b) => a - b);
    const at = slice(rows.length, rowHeight, this.#scrolled, this.#visible || 600, extra, open, detail?.height ?? 0);
    const wanted = new Set<string>();
    for (let i = at.first; i < at.end; i++) wanted.add(key(rows[i] as R));
    const focused = this.element.contains(document.activeElement) && document.activeElement !== this.element;
    for (const [k, s] of this.#shown) if (!wanted.has(k)) this.#drop(k, s);
    setAttribute(this.#table, "aria-rowcount", String(rows.length + 1));

    let next: ChildNode | null = body.firstChild;
    const place = (e: HTMLTableRowElement): void => {
      if (e === next) next = e.nextSibling;
      else body.insertBefore(e, next);
    };
    height(this.#above, at.top);
    place(this.#above);
    for (let i = at.first; i < at.end; i++) {
      const row = rows[i] as R, s = this.#show(row);
      setAttribute(s.tr, "aria-rowindex", String(i + 2));
      s.tr.classList.toggle("odd", i % 2 === 1);
      place(s.tr);
      if (s.detail) place(s.detail.tr);
    }
    height(this.#below, at.bottom);
    place(this.#below);
    if (rows.length === 0) {
      setText(this.#none.cells[0] as Element, this.#all.length ? "nothing matches the search" : this.#o.empty);
      place(this.#none);
    } else this.#none.remove();
    if (focused && !this.element.contains(document.activeElement)) this.element.focus({ preventScroll: true });
  }

  #show(row: R): Shown<R> {
    const k = this.#o.key(row), { columns, detail } = this.#o;
    let s = this.#shown.get(k);
    if (!s) {
      const tr = el("tr", { "data-key": k });
      columns.forEach((c, i) => tr.append(i === 0 ? el("th", { scope: "row", class: "text" }) : el("td", { class: c.text && "text" })));
      s = { tr, row };
      this.#shown.set(k, s);
    }
    s.row = row;
    for (let i = 0; i < columns.length; i++) {
      const td = s.tr.cells[i] as HTMLTableCellElement, text = (columns[i] as Column<R>).cell(row, td);
      if (text !== undefined) setText(td, text);
    }
    if (detail && this.#open.has(k)) {
      if (!s.detail) {
        const part = detail.make(row), cell = el("td", { colspan: columns.length }, part.element);
        const tr = el("tr", { class: "detail" }, cell);
        height(tr, detail.height);
        s.detail = { tr, part };
      }
      s.detail.part.update(row);
    } else if (s.detail) this.#shut(s);
    return s;
  }

  #shut(s: Shown<R>): void {
    s.detail?.part.close?.();
    s.detail?.tr.remove();
    delete s.detail;
  }

  #drop(k: string, s: Shown<R>): void {
    this.#shut(s);
    s.tr.remove();
    this.#shown.delete(k);
  }
}

function spacer(): HTMLTableRowElement {
  return el("tr", { class: "spacer", "aria-hidden": "true" });
}

function height(e: HTMLElement, px: number): void {
  const text = `${px}px`;
  if (e.style.height !== text) e.style.height = text;
}

/** searchBox is an input that searches a table, and says how many rows are left. */
export function searchBox<R>(table: Table<R>, label: string): HTMLElement {
  const input = el("input", { type: "search", placeholder: label, "aria-label": label, spellcheck: "false", autocomplete: "off" });
  const count = el("span", { class: "count", role: "status" });
  input.addEventListener("input", () => {
    const n = table.search(input.value);
    setText(count, input.value.trim() ? `${n} of ${table.count.all}` : "");
  });
  return el("span", { class: "search" }, count, input);
}
