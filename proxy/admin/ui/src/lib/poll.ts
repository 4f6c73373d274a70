import { setText } from "./dom.ts";
import { getJSON } from "./net.ts";

/** after returns how long to wait after so many failures in a row: 1 s, 2 s, 4 s, … at most 15 s. */
export function after(failures: number, everyMs: number): number {
  return failures === 0 ? everyMs : Math.min(15_000, Math.max(everyMs, 1000) * 2 ** (failures - 1));
}

export interface PollOptions<T> {
  /** path is below the server's root, and what is there JSON. */
  path?: string;
  /** get asks in another way than for the JSON at path. */
  get?(signal: AbortSignal): Promise<T>;
  everyMs?: number;
  /** An answer that takes longer counts as none. */
  timeoutMs?: number;
  /** quiet leaves the page's status to another poller. */
  quiet?: boolean;
  onData(data: T, now: number): void;
  /** onFail is told how many times in a row it failed and when it tries again. */
  onFail?(problem: Error, failures: number, nextMs: number): void;
}

/**
 * Poller asks again and again, one question at a time. While the page is
 * hidden it rests; while the process is gone it asks less and less often, and says so
 * in the page's #status and #problem.
 */
export class Poller<T> {
  readonly #o: PollOptions<T>;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;
  #closed = false;

  constructor(o: PollOptions<T>) {
    this.#o = o;
    document.addEventListener("visibilitychange", this.#visible);
    addEventListener("online", this.now);
    this.now();
  }

  /** now asks at once unless a question is under way. */
  readonly now = (): void => {
    clearTimeout(this.#timer);
    if (!this.#closed && !this.#abort && !document.hidden) void this.#ask();
  };

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    document.removeEventListener("visibilitychange", this.#visible);
    removeEventListener("online", this.now);
  }

  readonly #visible = (): void => {
    if (document.hidden) {
      clearTimeout(this.#timer);
      if (!this.#o.quiet) say("paused", "paused");
    } else this.now();
  };

  async #ask(): Promise<void> {
    const every = this.#o.everyMs ?? 1000, began = performance.now();
    this.#abort = new AbortController();
    const limit = setTimeout(() => this.#abort?.abort(new Error("no answer in time")), this.#o.timeoutMs ?? 10_000);
    try {
      const data = await (this.#o.get?.(this.#abort.signal) ?? getJSON<T>(this.#o.path ?? "", this.#abort.signal));
      if (this.#closed) return;
      this.#failures = 0;
      this.#o.onData(data, performance.now());
      if (!this.#o.quiet) {
        if (!document.hidden) say("live", "live");
        problem("");
      }
    } catch (err) {
      if (this.#closed) return;
      this.#failures++;
      const next = after(this.#failures, every), e = err instanceof Error ? err : new Error(String(err));
      if (!this.#o.quiet) {
        say("gone", "no answer");
        // The text stays the same from try to try, so that screen readers say it once.
        if (this.#failures === 2) problem(`This process does not answer (${e.message}). Trying again, less and less often; what is shown is old.`);
      }
      this.#o.onFail?.(e, this.#failures, next);
    } finally {
      clearTimeout(limit);
      this.#abort = undefined;
      if (!this.#closed && !document.hidden) {
        const wait = this.#failures ? after(this.#failures, every) : Math.max(0, every - (performance.now() - began));
        this.#timer = setTimeout(this.now, wait);
      }
    }
  }
}

/** say shows the state of the page in its header. */
export function say(state: "live" | "paused" | "gone" | "idle", text: string): void {
  const e = document.getElementById("status");
  if (!e) return;
  e.dataset.state = state;
  e.hidden = false;
  setText(e, text);
}

/** problem shows a text in the page's banner, which screen readers announce; an empty one removes it. */
export function problem(text: string): void {
  const e = document.getElementById("problem");
  if (!e) return;
  setText(e, text);
  e.hidden = !text;
}
