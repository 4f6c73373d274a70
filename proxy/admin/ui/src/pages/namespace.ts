import "../css/tools.css";
import { by, type Change, differs, type DiffRow, diffTable, effectsView, type Preview, when } from "../lib/changes.ts";
import { type Delegation, draw, goals, goalText, signatures } from "../lib/delegation.ts";
import { el, find, setText } from "../lib/dom.ts";
import { aborted, ask, Fault, words } from "../lib/fault.ts";
import { served, url } from "../lib/net.ts";
import { routers } from "../lib/page.ts";
import { problem, say } from "../lib/poll.ts";
import { Removal } from "../lib/removal.ts";
import { RulesField, rulesOf, RulesTable, soon } from "../lib/rules.ts";

// One namespace of namerd: its rules, names tried out by them, and, where this server
// lets it, an editor that shows what a change would do before it is saved.

interface Document { namespace: string; dtab: string; version: string; history: Change[]; historyError?: string; active: { name: string; local?: string }[]; activeTotal: number }

const namespace = find("#view").dataset.namespace ?? "";
const mayEdit = served("namespace/save.json") && served("namespace/preview.json") && served("namespace.json");
const mayDelete = mayEdit && served("namespace/delete.json");

let now: Document | undefined; // as it is stored
let base: Document | undefined; // what the draft began with
let drawnNames = "", drawnChanges = "";

// ---- the rules

const rules = new RulesTable("rules of the namespace", routers()[0]?.dtab ?? []);
const edit = el("button", { type: "button", hidden: !mayEdit }, "Edit rules");
const remove = el("button", { type: "button", class: "quiet", hidden: !mayDelete }, "Delete …");
const readOnly = el("span", { class: "note", hidden: mayEdit }, "read-only: this server does not let changes through");
const whose = el("p", { class: "note" });
const shown = el("section", { class: "card" }, el("div", { class: "headline" }, el("h2", {}, "Rules ", el("small", {}, "later ones win")), el("span", { class: "right" }, edit, " ", remove, readOnly)), rules.element, whose);

// ---- the editor

const field = new RulesField("rules of the namespace", () => draft(), 10);
const live = el("div", { "aria-label": "what the draft changes" });
const review = el("button", { type: "button" }, "Review the change"), cancel = el("button", { type: "button", class: "quiet" }, "Cancel");
const others = el("div", { class: "banner fairly", role: "alert", hidden: true });
const writing = el("div", { class: "halves" }, el("div", {}, el("h3", {}, "Draft"), field.element, el("p", { class: "buttons" }, review, " ", cancel)), el("div", {}, el("h3", {}, "Change"), live));
const author = el("input", { "aria-label": "your name", placeholder: "your name" }), reason = el("input", { "aria-label": "reason", placeholder: "why, for the history", class: "grow" });
const save = el("button", {}, "Save"), back = el("button", { type: "button", class: "quiet" }, "Back to the draft");
const effects = el("div", {}), reviewed = el("div", {});
const saving = el("form", { hidden: true }, el("h3", {}, "The change"), reviewed, el("h3", {}, "What would change for current traffic"), effects,
  el("div", { class: "line" }, author, reason, save, back));
const editor = el("section", { class: "card editor", hidden: true, "aria-label": "editor" }, el("h2", {}, "Edit the rules"), others, writing, saving);

let asked: AbortController | undefined, checked = "";

/** check asks what the draft changes, while it is being typed. */
const draft = soon(() => void check());
async function check(): Promise<boolean> {
  asked?.abort();
  const { signal } = (asked = new AbortController());
  try {
    const p = await ask<Preview>("namespace/preview.json", { namespace, dtab: field.value }, signal);
    field.fault(undefined);
    live.replaceChildren(differs(p.diff) ? diffTable("change of rules", p.diff) : el("p", { class: "note" }, "Nothing is changed yet."));
    review.disabled = !differs(p.diff);
    return true;
  } catch (err) {
    if (aborted(err)) return false;
    if (err instanceof Fault && err.field === "dtab") field.fault(err);
    else problem(words(err));
    review.disabled = true;
    return false;
  }
}

async function toReview(): Promise<void> {
  review.disabled = true;
  try {
    const p = await ask<Preview>("namespace/preview.json", { namespace, dtab: field.value, names: true });
    checked = field.value;
    reviewed.replaceChildren(diffTable("change of rules", p.diff));
    effects.replaceChildren(p.names ? effectsView(p.names) : "");
    writing.hidden = true;
    saving.hidden = false;
    reason.focus();
  } catch (err) {
    if (err instanceof Fault && err.field === "dtab") field.fault(err);
    else problem(words(err));
  } finally {
    review.disabled = false;
  }
}

function toDraft(): void {
  writing.hidden = false;
  saving.hidden = true;
  field.text.focus();
}

function begin(text: string, why = ""): void {
  if (!now) return;
  removal.close();
  base = now;
  field.value = text;
  reason.value = why;
  others.hidden = true;
  save.disabled = false;
  live.replaceChildren();
  editor.hidden = false;
  shown.hidden = true;
  toDraft();
  void check();
}

function end(): void {
  editor.hidden = true;
  shown.hidden = false;
  others.hidden = true;
  base = undefined;
  edit.focus();
}

/** overtaken says what somebody else has changed since the draft was begun, and offers to bring the draft up to date. */
function overtaken(current: { dtab: string; version: string; change?: Change | undefined }): void {
  if (!base) return;
  const c = current.change, from = base.dtab, mine = saving.hidden ? field.value : checked;
  const rebase = el("button", { type: "button" }, "Bring my change up to date");
  rebase.addEventListener("click", () => void (async () => {
    try {
      const p = await ask<Preview>("namespace/preview.json", { namespace, dtab: mine, base: from });
      await reload();
      base = now;
      field.value = p.dtab;
      others.hidden = true;
      save.disabled = false;
      toDraft();
      live.replaceChildren(diffTable("change of rules", p.diff, p.conflicts));
      review.disabled = false;
    } catch (err) {
      if (err instanceof Fault && err.field === "dtab") {
        toDraft();
        field.fault(err);
      } else problem(words(err));
    }
  })());
  const table = el("div");
  others.replaceChildren(el("p", {}, el("b", {}, "Somebody else has changed this namespace meanwhile"), c ? `: ${by(c)}` : "", ". Yours cannot be saved over it."), table, el("p", { class: "buttons" }, rebase));
  others.hidden = false;
  save.disabled = true;
  void compare(from, current.dtab).then((rows) => table.replaceChildren(diffTable("change by somebody else", rows)));
}

/** compare shows what became of the text that the draft began with. */
async function compare(from: string, _to: string): Promise<DiffRow[]> {
  try {
    return (await ask<Preview>("namespace/preview.json", { namespace, dtab: from, base: from })).theirs ?? [];
  } catch {
    return [];
  }
}

edit.addEventListener("click", () => begin(now?.dtab ?? ""));
review.addEventListener("click", () => void toReview());
cancel.addEventListener("click", () => {
  if (field.value === base?.dtab || confirm("Forget the draft?")) end();
});
back.addEventListener("click", toDraft);
saving.addEventListener("submit", (e) => {
  e.preventDefault();
  void (async () => {
    save.disabled = true;
    try {
      await ask("namespace/save.json", { namespace, dtab: checked, version: base?.version ?? "", author: author.value, reason: reason.value });
      problem("");
      try { localStorage.setItem("weft.author", author.value); } catch { /* it is asked again */ }
      await reload();
      end();
      setText(spoken, "Saved.");
    } catch (err) {
      if (err instanceof Fault && err.status === 412) {
        const b = err.body as { dtab?: string; version?: string; change?: Change };
        overtaken({ dtab: b.dtab ?? "", version: b.version ?? "", change: b.change });
      } else problem(words(err));
    } finally {
      save.disabled = !others.hidden;
    }
  })();
});
try { author.value = localStorage.getItem("weft.author") ?? ""; } catch { /* there is none */ }

// ---- deleting it

let following = new AbortController();
const removal = new Removal({
  namespace,
  onClose: () => {
    shown.hidden = false;
    remove.focus();
  },
  onDelete: (done) => {
    following.abort(); // it would be told that there is none
    void done.then((gone) => {
      if (gone) location.assign(url(""));
      else void follow();
    });
  },
});
remove.addEventListener("click", () => {
  shown.hidden = true;
  void removal.open(author.value);
});

// ---- names tried out

const name = el("input", { name: "path", "aria-label": "name", placeholder: "/svc/web", spellcheck: "false", autocomplete: "off", class: "mono" });
const fault = el("p", { class: "banner", role: "alert", hidden: true }), summary = el("p", { class: "summary", role: "status" }), trees = el("div", { class: "trees" });
const form = el("form", { class: "line" }, name, el("button", {}, "Go"));
const tried = el("section", { class: "card playground" }, el("h2", {}, "Try a name ", el("small", {}, "by these rules, and by the draft if there is one")), form, fault, summary, trees);

const delegate = (dtab: string, path: string): Promise<Delegation> => ask<Delegation>("dtab/delegator.json", { namespace, dtab, path });

async function go(): Promise<void> {
  const path = name.value.trim();
  if (!path) return;
  history.replaceState(null, "", `#${encodeURI(path)}`);
  const stored = now?.dtab ?? (routers()[0]?.dtab ?? []).map((d) => `${d.prefix} => ${d.dst}`).join(";"), other = editor.hidden || field.value === stored ? undefined : field.value;
  try {
    const before = await delegate(stored, path), after = other === undefined ? undefined : await delegate(other, path);
    fault.hidden = true;
    const to = (d: Delegation): string => goals(d).length ? `goes to ${goalText(goals(d))}` : "is not bound";
    summary.replaceChildren(el("code", {}, path), ` ${to(before)}`, after ? `; by the draft it ${to(after)}.` : ".");
    const pick = { onPick: (d?: { prefix: string; dst: string }): void => rules.mark(d) };
    if (!after) trees.replaceChildren(draw(before, pick));
    else {
      trees.replaceChildren(el("div", {}, el("h3", {}, "Rules in force"), draw(before, { ...pick, other: signatures(after), mark: "gone" })),
        el("div", {}, el("h3", {}, "The draft"), draw(after, { ...pick, other: signatures(before), mark: "new" })));
    }
  } catch (err) {
    setText(fault, words(err));
    fault.hidden = false;
    trees.replaceChildren();
    setText(summary, "");
  }
}
form.addEventListener("submit", (e) => { e.preventDefault(); void go(); });

// ---- names bound now, and the history

const active = el("section", { class: "card", hidden: true }), past = el("section", { class: "card", hidden: true });

function showActive(d: Document): void {
  active.hidden = false;
  const rows = d.active.map((a) => {
    const use = el("button", { type: "button", class: "quiet small", "aria-label": a.local ? `try ${a.name} without rules of its own` : `try ${a.name}`, onclick: () => { name.value = a.name; void go(); name.scrollIntoView({ block: "center" }); } }, "try");
    return el("tr", {}, el("th", { scope: "row", class: "mono" }, a.name), el("td", { class: "mono" }, a.local ?? ""), el("td", {}, use));
  });
  active.replaceChildren(el("h2", {}, "Names bound now ", el("small", {}, d.activeTotal > d.active.length ? `${d.active.length} of ${d.activeTotal}` : "by proxies, through this namerd")),
    rows.length ? el("div", { class: "scroll" }, el("table", { class: "grid", "aria-label": "names bound now" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "name"), el("th", { scope: "col" }, "with rules of its own"), el("th", { scope: "col" }, ""))), el("tbody", {}, ...rows)))
      : el("p", { class: "none" }, "none: no proxy asks this namerd about this namespace now"));
}

const countOf = (rules: number): string => `${rules} rule${rules === 1 ? "" : "s"}`;

function showHistory(d: Document): void {
  past.hidden = !d.history.length && !d.historyError;
  const rows = d.history.map((c, i) => {
    const roll = el("button", { type: "button", class: "quiet small", hidden: !mayEdit || i === 0 || c.dtab === undefined }, "Edit back to this");
    roll.addEventListener("click", () => {
      begin(rulesOf(c.dtab ?? "").map((r) => `${r.prefix} => ${r.dst} ;\n`).join(""), `back to the rules of ${when(c.at)}`);
      editor.scrollIntoView({ block: "start" });
    });
    const text = c.deleted ? el("span", { class: "tag bad" }, "deleted") : el("details", {}, el("summary", {}, countOf(rulesOf(c.dtab ?? "").length)), new RulesTable("rules", rulesOf(c.dtab ?? "")).element);
    return el("tr", {}, el("th", { scope: "row" }, when(c.at)), el("td", {}, c.author ?? ""), el("td", {}, c.reason ?? ""), el("td", {}, text), el("td", {}, i === 0 ? el("span", { class: "tag good" }, "in force") : roll));
  });
  past.replaceChildren(el("h2", {}, "History ", el("small", {}, "latest first")), d.historyError ? el("p", { class: "banner" }, d.historyError) : el("div", { class: "scroll" }, el("table", { class: "grid", "aria-label": "history" },
    el("thead", {}, el("tr", {}, ...["when", "who", "why", "rules", ""].map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, ...rows))));
}

// ---- following the store

const spoken = el("p", { class: "hidden", role: "status" });

function show(d: Document): void {
  const changed = now !== undefined && now.version !== d.version;
  now = d;
  rules.show(rulesOf(d.dtab));
  const c = d.history[0];
  setText(whose, c ? `Last changed ${by(c)}.` : "");
  // What is the same stays as it is: somebody may be reading or using it.
  const names = JSON.stringify([d.active, d.activeTotal]), changes = JSON.stringify([d.history, d.historyError]);
  if (names !== drawnNames) showActive(d);
  if (changes !== drawnChanges) showHistory(d);
  drawnNames = names;
  drawnChanges = changes;
  if (!changed) return;
  removal.overtaken(d.version, c);
  if (base && base.version !== d.version) overtaken({ dtab: d.dtab, version: d.version, change: c });
  else setText(spoken, "The rules were changed.");
  if (name.value.trim()) void go();
}

async function reload(): Promise<void> {
  show(await ask<Document>(`namespace.json?namespace=${encodeURIComponent(namespace)}`));
}

async function follow(): Promise<void> {
  const { signal } = (following = new AbortController());
  for (let failures = 0; !signal.aborted;) {
    try {
      const q = new URLSearchParams({ namespace });
      if (now) {
        q.set("version", now.version);
        q.set("wait", "5s");
      }
      const d = await ask<Document>(`namespace.json?${q}`, undefined, signal);
      // What a save of this page has shown already is not news.
      show(d);
      say("live", "live");
      if (failures) problem("");
      failures = 0;
    } catch (err) {
      if (aborted(err)) return;
      failures++;
      say("gone", "no answer");
      problem(err instanceof Fault && err.status === 404 ? "This namespace was deleted." : `namerd does not answer: ${words(err)}. Trying again; what is shown is old.`);
      await new Promise((done) => setTimeout(done, Math.min(15_000, 1000 * 2 ** (failures - 1))));
    }
  }
}

find("#view").replaceChildren(el("h1", {}, "Namespace ", el("code", {}, namespace), " ", el("small", {}, el("a", { href: url("") }, "all namespaces"))), shown, editor, removal.element, tried, active, past, spoken);
function fromFragment(): void {
  let path = location.hash.slice(1);
  try { path = decodeURIComponent(path); } catch { /* it is taken as it stands */ }
  if (path && path !== name.value) {
    name.value = path;
    void go();
  }
}
fromFragment();
addEventListener("hashchange", fromFragment);
if (served("namespace.json")) void follow();
