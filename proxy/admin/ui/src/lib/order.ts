// The order of rows in a table.

export type Key = number | string | undefined;

/** compare puts what is unknown last, whichever way the rest goes. */
export function compare(a: Key, b: Key, descending: boolean): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  const n = typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
  return descending ? -n : n;
}

/** matches says whether every word of a search is in the text, whatever the case. */
export function matches(text: string, search: string): boolean {
  const low = text.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((w) => low.includes(w));
}
