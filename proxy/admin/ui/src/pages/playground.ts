import "../css/tools.css";
import { type Delegation, draw, goals, goalText, outcome, signatures, way } from "../lib/delegation.ts";
import { el, setText } from "../lib/dom.ts";
import { aborted, ask, Fault, words } from "../lib/fault.ts";
import { type Dentry, type Router, routers } from "../lib/page.ts";
import { RulesField, RulesTable, soon } from "../lib/rules.ts";

// The dtab playground: a name or a whole request, the router's rules and those of the
// request, and what comes of them, beside what the rules in force make of it.

interface Answer { path: string; local: Dentry[]; base: Dentry[]; delegation: Delegation; partial?: string }
interface Question { router: string; name?: string; request?: { method: string; target: string; headers: string[] }; dtab: string; base?: string }

class Playground {
  readonly #router: Router;
  readonly #original: string;
  #base: string;
  #mode: "name" | "request" = "name";
  #abort: AbortController | undefined;

  readonly #name = el("input", { name: "path", "aria-label": "name", placeholder: "/svc/web", spellcheck: "false", autocomplete: "off" });
  readonly #method = el("select", { "aria-label": "method" });
  readonly #target = el("input", { "aria-label": "target", value: "/", spellcheck: "false", autocomplete: "off", class: "mono" });
  readonly #headers = el("textarea", { "aria-label": "headers, one a line", rows: 3, spellcheck: "false", class: "mono" });
  readonly #local: RulesField;
  readonly #edit: RulesField;
  readonly #rules: RulesTable;
  readonly #stored: RulesTable;
  readonly #sent = new RulesTable("rules of the request");
  readonly #summary = el("p", { class: "summary", role: "status" });
  readonly #trees = el("div", { class: "trees" });
  readonly #fault = el("p", { class: "banner", role: "alert", hidden: true });
  readonly #apply: HTMLButtonElement;
  readonly #editButton: HTMLButtonElement;
  readonly #edited = el("span", { class: "tag fair", hidden: true }, "edited on this page only");

  constructor(card: HTMLElement, router: Router) {
    this.#router = router;
    this.#original = this.#base = router.text;
    for (const m of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) this.#method.append(new Option(m, m));
    this.#headers.value = "Host: web";
    const later = soon(() => void this.#go(false), 350);
    this.#local = new RulesField("rules of this request: its l5d-dtab", later, 2);
    this.#edit = new RulesField("the router's rules", () => void this.#check(), 8);
    this.#edit.element.hidden = true;
    this.#rules = new RulesTable("the router's rules", router.dtab);
    this.#stored = new RulesTable("stored rules", router.stored ?? []);
    this.#editButton = el("button", { type: "button", class: "quiet", onclick: () => this.#editing(true) }, "Edit");
    this.#apply = el("button", { type: "button", hidden: true, onclick: () => void this.#applied() }, "Apply");
    const reset = el("button", { type: "button", class: "quiet", onclick: () => this.#reset() }, "Reset");

    const name = el("div", { class: "line", "data-mode": "name" }, this.#name, el("button", {}, "Go"));
    const request = el("div", { class: "request", "data-mode": "request", hidden: true },
      el("div", { class: "line" }, this.#method, this.#target, el("button", {}, "Go")),
      el("label", {}, "headers, one a line", this.#headers));
    const modes = el("div", { class: "modes", role: "radiogroup", "aria-label": "what to ask about" });
    for (const mode of ["name", "request"] as const) {
      const radio = el("input", { type: "radio", name: `mode-${router.label}`, value: mode, checked: mode === "name" });
      radio.addEventListener("change", () => {
        this.#mode = mode;
        name.hidden = mode !== "name";
        request.hidden = mode !== "request";
        if (mode === "request" || this.#name.value.trim()) void this.#go(false);
      });
      modes.append(el("label", {}, radio, mode === "name" ? " a name" : " a whole request"));
    }
    const form = el("form", { class: "asking" }, modes, name, request);
    form.addEventListener("submit", (e) => { e.preventDefault(); void this.#go(true); });
    const override = el("details", { class: "override" }, el("summary", {}, "Override rules for this request (l5d-dtab)"),
      el("p", { class: "note" }, "Rules that a request brings along in its l5d-dtab header come after the router's and so win, for this request only. ",
        "For instance ", el("code", {}, "/host/world => /srv/world-v2"), " sends what would go to the service world to world-v2: a way to try a new version with one request."),
      this.#local.element);
    const left = el("section", { class: "card" }, el("h2", {}, "Rules ", el("small", {}, "later ones win")), this.#rules.element, this.#edit.element,
      el("p", { class: "buttons" }, this.#editButton, " ", this.#apply, " ", reset, " ", this.#edited),
      el("p", { class: "note" }, "Changes are for trying out on this page only: nothing that is routed changes."),
      router.stored && el("div", {}, el("h3", {}, "Stored rules ", el("small", {}, "of the interpreter; read-only here, and the rules above win")), this.#stored.element));
    const sent = el("div", { hidden: true, class: "sent" }, el("h3", {}, "Rules of the request ", el("small", {}, "they win over all others")), this.#sent.element);
    left.append(sent);
    this.#sentBox = sent;
    const right = el("section", { class: "card answer", "aria-label": "how it is routed" }, el("h2", {}, "Routing"), this.#fault, this.#summary, this.#trees);
    card.replaceChildren(el("div", { class: "card" }, el("h2", {}, router.label, " ", el("small", {}, router.protocol)), form, override), el("div", { class: "halves" }, left, right));
    setText(this.#summary, "Ask about a name such as /svc/web to see how it becomes endpoints.");
    this.#fromFragment();
    addEventListener("hashchange", () => this.#fromFragment());
  }

  readonly #sentBox: HTMLElement;

  #question(): Question | undefined {
    const q: Question = { router: this.#router.label, dtab: this.#local.value };
    if (this.#base !== this.#original) q.base = this.#base;
    if (this.#mode === "request") {
      return { ...q, request: { method: this.#method.value, target: this.#target.value.trim(), headers: this.#headers.value.split("\n").filter((h) => h.trim()) } };
    }
    const name = this.#name.value.trim();
    return name ? { ...q, name } : undefined;
  }

  async #go(explicitly: boolean): Promise<void> {
    const q = this.#question();
    this.#abort?.abort();
    if (!q) {
      if (explicitly) this.#name.focus();
      return;
    }
    const { signal } = (this.#abort = new AbortController());
    if (q.name) history.replaceState(null, "", `#${encodeURI(q.name)}`);
    try {
      const after = await ask<Answer>("explain.json", q, signal);
      // What the rules in force make of the same name, if others were tried.
      const differs = this.#base !== this.#original || after.local.length > 0;
      const before = differs ? await ask<Answer>("explain.json", { router: q.router, name: after.path, dtab: "" }, signal) : undefined;
      this.#clear();
      this.#show(after, before);
    } catch (err) {
      if (aborted(err)) return;
      this.#clear();
      if (err instanceof Fault && err.field === "dtab") this.#local.fault(err);
      else if (err instanceof Fault && err.field === "base") this.#edit.fault(err);
      else {
        setText(this.#fault, words(err));
        this.#fault.hidden = false;
        if (err instanceof Fault && err.field === "name") this.#name.setAttribute("aria-invalid", "true");
      }
      this.#trees.replaceChildren();
      setText(this.#summary, "");
    }
  }

  #clear(): void {
    this.#fault.hidden = true;
    this.#name.removeAttribute("aria-invalid");
    this.#local.fault(undefined);
    this.#edit.fault(undefined);
  }

  #source(a: Answer): (d: Dentry) => string {
    const has = (list: Dentry[] | null, d: Dentry): boolean => (list ?? []).some((x) => x.prefix === d.prefix && x.dst === d.dst);
    return (d) => (has(a.local, d) ? "this request" : has(this.#router.dtab, d) ? "router" : has(a.base, d) ? "edited" : has(this.#router.stored, d) ? "stored" : "");
  }

  #show(after: Answer, before: Answer | undefined): void {
    this.#sent.show(after.local);
    this.#sentBox.hidden = after.local.length === 0;
    this.#summarise(after, before);
    const pick = (d: Dentry | undefined): void => {
      for (const t of [this.#rules, this.#stored, this.#sent]) t.mark(d);
    };
    const tree = (a: Answer, other: Answer | undefined, mark: string): HTMLElement =>
      draw(a.delegation, { onPick: pick, source: this.#source(a), mark, ...(other && { other: signatures(other.delegation) }) });
    if (!before) {
      this.#trees.replaceChildren(tree(after, undefined, ""));
      return;
    }
    const column = (head: string, part: HTMLElement): HTMLElement => el("div", {}, el("h3", {}, head), part);
    this.#trees.replaceChildren(column("Rules in force", tree(before, after, "gone")), column("With these changes", tree(after, before, "new")));
  }

  #summarise(after: Answer, before: Answer | undefined): void {
    const to = (a: Answer): string => {
      const g = goals(a.delegation);
      if (g.length) return `go to ${goalText(g)}`;
      return outcome(a.delegation) === "ok" ? "go nowhere, on purpose" : "fail: the name is not bound";
    };
    const parts: (string | HTMLElement)[] = ["Requests for ", el("code", {}, after.path), ` ${to(after)}`];
    const source = this.#source(after), decides = way(after.delegation).map((n) => n.dentry).filter((d) => d && ["this request", "edited"].includes(source(d))).at(-1);
    if (before) {
      const same = JSON.stringify(goals(before.delegation)) === JSON.stringify(goals(after.delegation)) && outcome(before.delegation) === outcome(after.delegation);
      if (same) parts.push(". That is what the rules in force do, too.");
      else {
        if (decides) parts.push(", because of the rule ", el("code", {}, `${decides.prefix} => ${decides.dst}`), source(decides) === "this request" ? " that this request brings along" : " edited here");
        parts.push(`. By the rules in force they would ${to(before)}.`);
      }
    } else parts.push(".");
    if (after.partial) parts.push(` Not everything has answered: ${after.partial}.`);
    this.#summary.replaceChildren(...parts);
  }

  /** check says what is wrong with rules that are being typed. */
  readonly #check = soon(() => void (async () => {
    try {
      await ask("explain.json", { router: this.#router.label, name: "/", base: this.#edit.value });
      this.#edit.fault(undefined);
    } catch (err) {
      if (err instanceof Fault && err.field === "base") this.#edit.fault(err);
      else this.#edit.fault(undefined);
    }
  })());

  #editing(on: boolean): void {
    if (on) this.#edit.value = this.#base;
    this.#edit.element.hidden = !on;
    this.#rules.element.hidden = on;
    this.#editButton.hidden = on;
    this.#apply.hidden = !on;
    if (on) this.#edit.text.focus();
  }

  async #applied(): Promise<void> {
    try {
      const a = await ask<Answer>("explain.json", { router: this.#router.label, name: "/", base: this.#edit.value });
      this.#base = this.#edit.value;
      this.#rules.show(a.base);
    } catch (err) {
      if (err instanceof Fault && err.field === "base") this.#edit.fault(err);
      else setText(this.#fault, words(err));
      this.#fault.hidden = err instanceof Fault && err.field === "base";
      return;
    }
    this.#edited.hidden = this.#base === this.#original;
    this.#editing(false);
    this.#editButton.focus();
    await this.#go(false);
  }

  #reset(): void {
    if ((this.#base !== this.#original || !this.#edit.element.hidden) && !confirm("Forget the changes to these rules?")) return;
    this.#base = this.#original;
    this.#rules.show(this.#router.dtab);
    this.#edited.hidden = true;
    this.#editing(false);
    void this.#go(false);
  }

  #fromFragment(): void {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* it is taken as it stands */ }
    if (name && name !== this.#name.value) {
      this.#name.value = name;
      void this.#go(false);
    }
  }
}

const all = new Map(routers().map((r) => [r.label, r]));
const card = document.querySelector<HTMLElement>(".playground"), router = card && all.get(card.dataset.router ?? "");
if (card && router) new Playground(card, router);
for (const a of document.querySelectorAll<HTMLAnchorElement>(".pills a")) {
  // Another router is asked about the same name.
  a.addEventListener("click", () => { a.hash = location.hash; });
}
