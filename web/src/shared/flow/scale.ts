/** The next round number above the highest bar: 1, 2, 2.5, 5 or 10 times a power of ten, and never below 4. */
export function topOf(most: number): number {
  if (most <= 4) return 4
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= most)!
}
