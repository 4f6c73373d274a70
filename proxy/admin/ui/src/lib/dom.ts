// Making elements. Text goes into the page as text nodes only: names come from
// whoever writes a dtab or sends a request.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined | ((e: Event) => void)>;

/** el makes an element: `on…` functions become listeners, true an empty attribute, false and undefined none. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== undefined) e.setAttribute(name, String(value));
  }
  for (const c of children) if (c) e.append(c);
  return e;
}

/** find returns the first match below a node, or throws: a page without it is broken. */
export function find<E extends Element = HTMLElement>(selector: string, below: ParentNode = document): E {
  const e = below.querySelector<E>(selector);
  if (!e) throw new Error(`the page has no ${selector}`);
  return e;
}

/** setText writes only what differs, so that nothing is laid out or announced anew. */
export function setText(e: Element, text: string): void {
  if (e.textContent !== text) e.textContent = text;
}

export function setAttribute(e: Element, name: string, value: string): void {
  if (e.getAttribute(name) !== value) e.setAttribute(name, value);
}
