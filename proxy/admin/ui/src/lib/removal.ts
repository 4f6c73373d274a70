// Deleting a namespace: what would become of current traffic, and the name once more.

import { type Change, by, diffTable, effectsView, type Preview } from "./changes.ts";
import { el, setText } from "./dom.ts";
import { ask, Fault, words } from "./fault.ts";

export interface RemovalOptions {
  namespace: string;
  /** onClose is called when nothing is to be deleted after all. */
  onClose(): void;
  /** onDelete is called when the server is asked, so that nobody follows what goes; done says whether it did. */
  onDelete(done: Promise<boolean>): void;
}

/** Removal is the card of a namespace's page on which it is deleted. */
export class Removal {
  readonly element: HTMLElement;
  readonly #o: RemovalOptions;
  readonly #form: HTMLFormElement; // in the page while the card is open
  readonly #effects = el("div");
  readonly #rules = el("div");
  readonly #others = el("div", { class: "banner fairly", role: "alert", hidden: true });
  readonly #fault = el("p", { class: "banner", role: "alert", hidden: true });
  readonly #author = el("input", { "aria-label": "your name", placeholder: "your name" });
  readonly #reason = el("input", { "aria-label": "reason", placeholder: "why, for the history", class: "grow" });
  readonly #again: HTMLInputElement;
  readonly #delete = el("button", { class: "danger", disabled: true }, "Delete this namespace");
  #version = ""; // the one whose rules and effects are shown

  constructor(o: RemovalOptions) {
    this.#o = o;
    this.#again = el("input", { id: "again", autocomplete: "off", spellcheck: "false", class: "mono" });
    this.#again.addEventListener("input", () => this.#ready());
    const cancel = el("button", { type: "button", class: "quiet", onclick: () => this.close() }, "Cancel");
    const form = this.#form = el("form", {}, el("h3", {}, "What would change for current traffic"), this.#effects, el("h3", {}, "Rules that go"), this.#rules,
      el("p", { class: "note" }, "Proxies that ask for this namespace get the answer that it has no rules. Its history stays; a new namespace of this name begins without rules."),
      el("div", { class: "line" }, this.#author, this.#reason),
      el("div", { class: "line" }, el("label", { for: "again" }, "To delete it, type its name, ", el("code", {}, o.namespace), ":"), this.#again, this.#delete, cancel));
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      if (!this.#delete.disabled) o.onDelete(this.#go());
    });
    this.element = el("section", { class: "card editor", hidden: true, "aria-label": "delete the namespace" }, el("h2", {}, "Delete this namespace"), this.#others, this.#fault);
    this.element.addEventListener("keydown", (e) => {
      if (e.key === "Escape") this.close();
    });
  }

  /** open shows what a deletion would do now. */
  async open(author: string): Promise<void> {
    this.#author.value = author;
    this.#again.value = "";
    this.element.append(this.#form);
    this.element.hidden = false;
    await this.#look();
    this.#reason.focus();
  }

  close(): void {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#form.remove();
    this.#o.onClose();
  }

  /** overtaken says that what is shown is not what there is: somebody else has changed it. */
  overtaken(version: string, c: Change | undefined): void {
    if (this.element.hidden || !this.#version || version === this.#version) return;
    this.#version = "";
    this.#ready();
    const look = el("button", { type: "button", onclick: () => void this.#look() }, "Look at it again");
    this.#others.replaceChildren(el("p", {}, el("b", {}, "Somebody else has changed this namespace meanwhile"), c ? `: ${by(c)}` : "", ". It was not deleted."), el("p", { class: "buttons" }, look));
    this.#others.hidden = false;
  }

  /** look asks what a deletion would do: what having no rules would. */
  async #look(): Promise<void> {
    this.#version = "";
    this.#others.hidden = this.#fault.hidden = true;
    this.#ready();
    try {
      const p = await ask<Preview>("namespace/preview.json", { namespace: this.#o.namespace, dtab: "", names: true });
      this.#rules.replaceChildren(diffTable("rules that go", p.diff));
      this.#effects.replaceChildren(p.names ? effectsView(p.names) : "");
      this.#version = p.version;
    } catch (err) {
      this.#say(words(err));
    }
    this.#ready();
  }

  async #go(): Promise<boolean> {
    this.#delete.disabled = true;
    try {
      await ask("namespace/delete.json", { namespace: this.#o.namespace, version: this.#version, author: this.#author.value, reason: this.#reason.value });
      return true;
    } catch (err) {
      if (err instanceof Fault && err.status === 412 && err.body.exists) this.overtaken(String(err.body.version), err.body.change as Change | undefined);
      else if (err instanceof Fault && err.status === 412) this.#say("Somebody else has deleted this namespace meanwhile.");
      else this.#say(words(err));
      this.#ready();
      return false;
    }
  }

  #say(text: string): void {
    setText(this.#fault, text);
    this.#fault.hidden = false;
  }

  #ready(): void {
    this.#delete.disabled = !this.#version || this.#again.value.trim() !== this.#o.namespace;
  }
}
