// Numbers as people read them. What is not known is "–".

export const unknown = "–";

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function number(n: number | undefined): string {
  if (n === undefined || Number.isNaN(n)) return unknown;
  return (Math.abs(n) < 10 ? tenths : plain).format(n);
}

/** short is for axes: 1.2k, 34M. */
export function short(n: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (Math.abs(n) >= size) return `${Math.round((n / size) * 10) / 10}${unit}`;
  }
  return String(Math.round(n * 100) / 100);
}

export function millis(n: number | undefined): string {
  if (n === undefined || Number.isNaN(n)) return unknown;
  return n < 10_000 ? `${number(n)} ms` : `${number(n / 1000)} s`;
}

/** millisTick is for axes: ticks of small values are closer than tenths. */
export function millisTick(n: number): string {
  return n < 10 ? `${short(n)} ms` : millis(n);
}

/** percent shows a share of 0..1; what is not whole never reads as 100%. */
export function percent(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return unknown;
  if (share === 1 || share === 0) return `${share * 100}%`;
  if (share > 0.9) return `${Math.min(99.99, 100 * share).toFixed(2)}%`;
  return `${(100 * share).toFixed(1)}%`;
}

/** grade is the colour of a success rate: Linkerd's thresholds. */
export function grade(share: number | undefined): "" | "good" | "fair" | "bad" {
  if (share === undefined || Number.isNaN(share)) return "";
  return share >= 0.99 ? "good" : share >= 0.9 ? "fair" : "bad";
}

export function duration(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return unknown;
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (d) return `${d}d ${h % 24}h`;
  if (h) return `${h}h ${m % 60}m`;
  return m ? `${m}m ${s % 60}s` : `${s}s`;
}

export function bytes(n: number | undefined): string {
  if (n === undefined || Number.isNaN(n)) return unknown;
  for (const unit of ["B", "KiB", "MiB"]) {
    if (n < 1024) return `${number(n)} ${unit}`;
    n /= 1024;
  }
  return `${number(n)} GiB`;
}
