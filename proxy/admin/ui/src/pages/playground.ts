import { draw, explain } from "../lib/delegation.ts";
import { el, find } from "../lib/dom.ts";
import { type Dentry, dtabText, routers } from "../lib/page.ts";

const all = new Map(routers().map((r) => [r.label, r]));

for (const card of document.querySelectorAll<HTMLElement>(".playground")) {
  const router = all.get(card.dataset.router ?? "");
  if (!router) continue;
  const ask = find<HTMLFormElement>(".ask", card), answer = find(".answer", card);
  const path = find<HTMLInputElement>("[name=path]", ask);
  const edit = find<HTMLFormElement>(".edit", card), text = find<HTMLTextAreaElement>("textarea", edit);
  const table = find<HTMLTableElement>(".base", card);
  const button = (name: string): HTMLButtonElement => find(`[data-do="${name}"]`, card);
  let dtab = dtabText(router.dtab);

  const pick = (d: Dentry | undefined): void => {
    for (const row of table.rows) {
      const [prefix, , dst] = [...row.cells].map((c) => c.textContent);
      row.classList.toggle("hit", !!d && prefix === d.prefix && dst === d.dst);
    }
  };
  const go = async (): Promise<void> => {
    answer.replaceChildren();
    const name = path.value.trim();
    if (!name) return;
    history.replaceState(null, "", `#${encodeURI(name)}`);
    try {
      answer.append(draw(await explain(router.label, dtab, name), pick));
    } catch (err) {
      answer.append(el("p", { class: "banner" }, err instanceof Error ? err.message : String(err)));
    }
  };
  const show = (): void => {
    const rows = dtab.split(";").map((s) => s.trim()).filter((s) => s).map((s) => {
      const at = s.indexOf("=>");
      if (at < 0) return el("tr", {}, el("td", {}, s));
      return el("tr", {}, el("td", {}, s.slice(0, at).trim()), el("td", { class: "arrow" }, "=>"), el("td", {}, s.slice(at + 2).trim()));
    });
    table.tBodies[0]?.replaceChildren(...rows);
  };
  const editing = (on: boolean): void => {
    edit.hidden = !on;
    table.hidden = on;
    button("edit").hidden = on;
    button("apply").hidden = !on;
  };

  ask.addEventListener("submit", (e) => { e.preventDefault(); void go(); });
  button("edit").addEventListener("click", () => {
    text.value = dtab;
    editing(true);
  });
  button("apply").addEventListener("click", () => {
    dtab = text.value;
    show();
    editing(false);
    void go();
  });
  button("reset").addEventListener("click", () => {
    if (!confirm("Forget the changes to this dtab?")) return;
    dtab = dtabText(router.dtab);
    show();
    editing(false);
    void go();
  });

  const fromFragment = (): void => {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* it is taken as it stands */ }
    if (name && name !== path.value) {
      path.value = name;
      void go();
    }
  };
  fromFragment();
  addEventListener("hashchange", fromFragment);
}
