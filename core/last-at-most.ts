/**
 * The last index of `count` sorted items that does not come after what is looked for; -1 without one.
 * `compare`: negative where the item comes before it.
 */
export function lastAtMost(count: number, compare: (index: number) => number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(middle) > 0) high = middle
    else low = middle + 1
  }
  return low - 1
}
