/** The page numbers to offer around `page` out of `last`, with `null` where some are left out. */
export function pagesAround(page: number, last: number): (number | null)[] {
  const near = [1, page - 1, page, page + 1, last].filter((n) => n >= 1 && n <= last)
  const kept = [...new Set(near)].sort((a, b) => a - b)
  return kept.flatMap((n, at) => {
    const before = kept[at - 1]
    if (before === undefined || n === before + 1) return [n]
    return n === before + 2 ? [n - 1, n] : [null, n]
  })
}
