// Which rows of a long list are in sight.

export interface Slice { first: number; end: number; top: number; bottom: number }

/**
 * slice returns the rows [first, end) that are within view, which begins at scroll and is
 * view high, and the height of what is left out above and below. Rows are rowHeight high,
 * and those in open have a detail of detailHeight beneath; extra rows are added on both sides.
 */
export function slice(count: number, rowHeight: number, scroll: number, view: number, extra: number, open: number[] = [], detailHeight = 0): Slice {
  const topOf = (i: number): number => i * rowHeight + before(open, i) * detailHeight;
  const total = topOf(count);
  scroll = Math.max(0, Math.min(scroll, total - 1));
  let lo = 0, hi = count; // the last row that begins at or above scroll
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if (topOf(mid) <= scroll) lo = mid;
    else hi = mid;
  }
  const first = Math.max(0, lo - extra);
  let end = lo;
  while (end < count && topOf(end) < scroll + view) end++;
  end = Math.min(count, end + extra);
  return { first, end, top: topOf(first), bottom: total - topOf(end) };
}

/** before counts the numbers below i in a sorted list. */
function before(sorted: number[], i: number): number {
  let n = 0;
  while (n < sorted.length && (sorted[n] as number) < i) n++;
  return n;
}
