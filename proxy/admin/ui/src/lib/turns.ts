/**
 * Turns runs one function a frame, in the order in which they were asked for: what
 * changes at the same time would make one long frame, in which nothing else moves.
 */
export class Turns {
  readonly #waiting = new Set<() => void>();
  #frame = 0;

  /** ask runs f in its turn, once however often it is asked for before that. */
  ask(f: () => void): void {
    this.#waiting.add(f);
    this.#frame ||= requestAnimationFrame(this.#next);
  }

  forget(f: () => void): void {
    this.#waiting.delete(f);
  }

  readonly #next = (): void => {
    this.#frame = 0;
    const [f] = this.#waiting;
    if (!f) return;
    this.#waiting.delete(f);
    if (this.#waiting.size) this.#frame = requestAnimationFrame(this.#next);
    f();
  };
}
