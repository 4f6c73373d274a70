/** nines is the y axis of a success rate in percent: 99.99 to 100.001 while all is well, and as low as it must be. */
export function nines(min: number): [number, number] {
  return min >= 99.99 ? [99.99, 100.001] : [Math.max(0, min - Math.max(0.01, (100 - min) * 0.15)), 100 + (100 - min) * 0.05];
}
