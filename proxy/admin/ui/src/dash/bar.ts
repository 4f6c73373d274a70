/** fillBar draws a share of 0..1 of something, and how tight it is. */
export function fillBar(bar: HTMLElement, share: number, state: "" | "fair" | "bad"): void {
  const part = bar.firstElementChild as HTMLElement, width = `${Math.round(1000 * Math.max(0, Math.min(1, share))) / 10}%`;
  if (part.style.width !== width) part.style.width = width;
  bar.classList.toggle("fair", state === "fair");
  bar.classList.toggle("bad", state === "bad");
}
