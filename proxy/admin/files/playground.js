import { draw, dtabText, element, explain, routers } from "./delegation.js";

const all = Object.fromEntries(routers().map((r) => [r.label, r]));

for (const card of document.querySelectorAll(".playground")) {
  const router = all[card.dataset.router];
  const ask = card.querySelector(".ask"), answer = card.querySelector(".answer");
  const edit = card.querySelector(".edit"), table = card.querySelector(".base");
  const button = (name) => card.querySelector(`[data-do="${name}"]`);
  let dtab = dtabText(router.dtab);

  const pick = (dentry) => {
    for (const row of table.querySelectorAll("tr")) {
      const [prefix, , dst] = [...row.cells].map((c) => c.textContent);
      row.classList.toggle("hit", !!dentry && prefix === dentry.prefix && dst === dentry.dst);
    }
  };
  const go = async () => {
    answer.replaceChildren();
    const path = ask.elements.path.value.trim();
    if (!path) return;
    history.replaceState(null, "", "#" + encodeURI(path));
    try {
      answer.append(draw(await explain(router.label, dtab, path), pick));
    } catch (err) {
      answer.append(element("p", "banner", err.message));
    }
  };
  const show = () => {
    const rows = dtab.split(";").map((s) => s.trim()).filter((s) => s).map((s) => {
      const at = s.indexOf("=>"), row = element("tr");
      if (at < 0) row.append(element("td", "", s));
      else row.append(element("td", "", s.slice(0, at).trim()), element("td", "arrow", "=>"), element("td", "", s.slice(at + 2).trim()));
      return row;
    });
    table.tBodies[0].replaceChildren(...rows);
  };
  const editing = (on) => {
    edit.hidden = !on;
    table.hidden = on;
    button("edit").hidden = on;
    button("apply").hidden = !on;
  };

  ask.addEventListener("submit", (e) => { e.preventDefault(); go(); });
  button("edit").addEventListener("click", () => {
    edit.elements.dtab.value = dtab;
    editing(true);
  });
  button("apply").addEventListener("click", () => {
    dtab = edit.elements.dtab.value;
    show();
    editing(false);
    go();
  });
  button("reset").addEventListener("click", () => {
    if (!confirm("Forget the changes to this dtab?")) return;
    dtab = dtabText(router.dtab);
    show();
    editing(false);
    go();
  });

  const fromFragment = () => {
    let path = location.hash.slice(1);
    try { path = decodeURIComponent(path); } catch { /* it is taken as it stands */ }
    if (path && path !== ask.elements.path.value) {
      ask.elements.path.value = path;
      go();
    }
  };
  fromFragment();
  addEventListener("hashchange", fromFragment);
}
