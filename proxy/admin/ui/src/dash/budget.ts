import { el, setText } from "../lib/dom.ts";
import { number } from "../lib/format.ts";
import { fillBar } from "./bar.ts";
import type { Budget } from "./endpoints.ts";

/** usual is what the budget of a service allows unless its configuration says otherwise. */
export const usual = 0.2;

/** overS is the time in seconds that a budget looks back. */
const overS = 10;

/** left returns the share of requests that may still be retried. */
export function left(allowed: number, requests: number | undefined, retries: number | undefined): number {
  const share = requests ? (retries ?? 0) / requests : 0;
  return Math.max(0, allowed - share);
}

/** tight is Linkerd's colour of a budget: below a half of it red, below three quarters orange. */
export function tight(allowed: number, remaining: number): "" | "fair" | "bad" {
  const share = allowed > 0 ? remaining / allowed : 0;
  return share < 0.5 ? "bad" : share < 0.75 ? "fair" : "";
}

/** rule says what a budget was configured to allow beside its share, for example "at least 10/s, over 10 s". */
export function rule(of: Budget | null | undefined): string {
  const parts = [of?.minRetriesPerSec !== undefined && `at least ${number(of.minRetriesPerSec)}/s`, of?.ttlSecs !== undefined && `over ${number(of.ttlSecs)} s`];
  return parts.filter((p) => p).join(", ");
}

/** RetryBudget is the bar that says how much may be retried still. */
export class RetryBudget {
  readonly element: HTMLElement;
  readonly #text = el("span");
  readonly #bar = el("span", { class: "bar", role: "meter", "aria-label": "retry budget", "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
  readonly #note = el("span", { class: "note" });

  readonly #recent: { requests: number; retries: number }[] = [];

  constructor() {
    this.element = el("div", { class: "budget" }, this.#text, this.#bar, this.#note);
  }

  update(allowed: number, requests: number | undefined, retries: number | undefined, tokens: number | undefined, exhausted: number, of?: Budget | null): void {
    if (requests !== undefined) this.#recent.push({ requests, retries: retries ?? 0 });
    if (this.#recent.length > overS) this.#recent.shift();
    const sum = (of: "requests" | "retries"): number => this.#recent.reduce((n, r) => n + r[of], 0);
    const rest = left(allowed, sum("requests"), sum("retries")), state = tight(allowed, rest);
    const whole = (n: number): string => `${Math.round(1000 * n) / 10}%`;
    setText(this.#text, `Retry budget available ${whole(rest)} / ${whole(allowed)}`);
    fillBar(this.#bar, allowed > 0 ? rest / allowed : 0, state);
    this.#bar.setAttribute("aria-valuenow", String(Math.round(allowed > 0 ? (100 * rest) / allowed : 0)));
    const parts = [rule(of), tokens !== undefined && `${number(tokens)} retries left`, exhausted > 0 && `budget exhausted ${number(exhausted)} times`];
    setText(this.#note, parts.filter((p) => p).join(" · "));
    this.#note.classList.toggle("bad", exhausted > 0 && state === "bad");
  }
}
