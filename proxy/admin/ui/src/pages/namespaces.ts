import "../css/tools.css";
import { el, find, setText } from "../lib/dom.ts";
import { ask, Fault, words } from "../lib/fault.ts";
import { number } from "../lib/format.ts";
import { served, url } from "../lib/net.ts";
import "../lib/page.ts";
import { Poller, problem } from "../lib/poll.ts";
import { RulesField, soon } from "../lib/rules.ts";
import { searchBox, Table } from "../lib/table.ts";

// namerd's namespaces, and making one.

interface Listed { name: string; active: number }

const link = (name: string): string => url(`dtab/${name.split("/").map(encodeURIComponent).join("/")}`);

const table = new Table<Listed>({
  label: "namespaces", key: (r) => r.name, empty: "none yet: weft dtab create NAME FILE makes one, and so does the form below if this server lets it", sort: { id: "name", descending: false },
  columns: [
    {
      id: "name", head: "namespace", width: 4, text: true, by: (r) => r.name,
      cell: (r, td) => {
        const a = td.querySelector("a") ?? td.appendChild(el("a"));
        a.setAttribute("href", link(r.name));
        setText(a, r.name);
        return undefined;
      },
    },
    { id: "active", head: "names bound now", title: "names that are being bound in it through this namerd now", by: (r) => r.active, cell: (r) => number(r.active) },
  ],
});

const view = find("#view");
view.replaceChildren(el("section", { class: "card" }, el("div", { class: "headline" }, el("h2", {}, "Namespaces"), searchBox(table, "search namespaces")), table.element));
if (served("namespaces.json")) new Poller<{ namespaces: Listed[] }>({ path: "namespaces.json", everyMs: 3000, onData: (d) => table.update(d.namespaces) });

if (served("namespace/save.json")) {
  const name = el("input", { "aria-label": "name of the new namespace", placeholder: "name", spellcheck: "false", required: true, maxlength: 200 });
  const author = el("input", { "aria-label": "your name", placeholder: "your name (optional)" }), reason = el("input", { "aria-label": "reason", placeholder: "why (optional)", class: "grow" });
  const check = soon(() => void (async () => {
    try {
      if (served("namespace/preview.json")) await ask("namespace/preview.json", { namespace: name.value || "new", dtab: field.value });
      field.fault(undefined);
    } catch (err) {
      field.fault(err instanceof Fault && err.field === "dtab" ? err : undefined);
    }
  })());
  const field = new RulesField("rules of the new namespace", check, 4);
  const form = el("form", {}, el("div", { class: "line" }, name, author, reason), field.element, el("p", { class: "buttons" }, el("button", {}, "Create")));
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    void (async () => {
      try {
        await ask("namespace/save.json", { namespace: name.value, dtab: field.value, version: "", author: author.value, reason: reason.value });
        location.assign(link(name.value));
      } catch (err) {
        if (err instanceof Fault && err.field === "dtab") field.fault(err);
        else problem(words(err));
      }
    })();
  });
  view.append(el("details", { class: "card" }, el("summary", {}, "Make a namespace"), form));
}
