import "uplot/dist/uPlot.min.css";
import "../css/admin.css";
import { el } from "./dom.ts";

// What every page has: the style sheet, the switch of the theme, and what the server
// wrote into the page.

export interface Dentry { prefix: string; dst: string }
export interface Router { label: string; protocol: string; servers: string[]; dtab: Dentry[]; text: string; stored: Dentry[] | null }

/** routers are all of the process, with their dtabs, as the server wrote them into the page. */
export function routers(): Router[] {
  return (JSON.parse(document.getElementById("routers")?.textContent ?? "null") as Router[] | null) ?? [];
}

/** lastWindow is what percentiles are of: the "last minute", unless this process has a window of another length. */
export const lastWindow = `last ${document.body.dataset.window ?? "minute"}`;

export function dtabText(dentries: Dentry[] | null): string {
  return (dentries ?? []).map((d) => `${d.prefix} => ${d.dst}`).join(";\n");
}

const themes = ["auto", "light", "dark"] as const;

function themeSwitch(): void {
  const root = document.documentElement;
  const button = el("button", { type: "button", id: "theme" });
  const show = (): void => {
    const now = root.dataset.theme ?? "auto";
    button.textContent = { auto: "◐", light: "☀", dark: "☾" }[now] ?? "◐";
    button.title = `theme: ${now}`;
    button.setAttribute("aria-label", `theme: ${now}`);
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf((root.dataset.theme ?? "auto") as "auto") + 1) % themes.length] ?? "auto";
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("weft.theme", next);
    } catch { /* it lasts as long as the page */ }
    show();
    dispatchEvent(new Event("themechange"));
  });
  show();
  document.getElementById("tools")?.append(button);
}

themeSwitch();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));

/** calm is whether the reader wants no motion. */
export const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
