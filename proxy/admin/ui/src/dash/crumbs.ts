import { el, setText } from "../lib/dom.ts";
import { splitClient } from "./model.ts";
import { href, type Place } from "./place.ts";

/** Crumbs say where in router → service → client → endpoint the page is. */
export class Crumbs {
  readonly #nav: HTMLElement;
  readonly #heading: HTMLElement;

  constructor(nav: HTMLElement, heading: HTMLElement) {
    this.#nav = nav;
    this.#heading = heading;
    heading.tabIndex = -1;
  }

  show(place: Place, heading: string): void {
    const { router, service, client, endpoint } = place;
    const steps: [string, Place][] = [["overview", {}]];
    if (router !== undefined) steps.push([router, { router }]);
    if (router !== undefined && service !== undefined) steps.push([service, { router, service }]);
    if (router !== undefined && client !== undefined) steps.push([splitClient(client)?.name ?? client, service === undefined ? { router, client } : { router, service, client }]);
    if (endpoint !== undefined) steps.push([endpoint, place]);
    const deep = service !== undefined || client !== undefined;
    const last = steps.length - 1;
    this.#nav.hidden = !deep;
    this.#nav.replaceChildren(el("ol", { class: "crumbs" }, ...steps.map(([text, to], i) => el("li", {}, i === last ? el("span", { "aria-current": "page" }, text) : el("a", { href: href(to) }, text)))));
    setText(this.#heading, heading);
    this.#heading.classList.toggle("hidden", !deep);
    for (const a of document.querySelectorAll<HTMLAnchorElement>(".pills a")) {
      if ((new URL(a.href).searchParams.get("router") ?? "") === (router ?? "")) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
  }
}
