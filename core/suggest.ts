const MAX_EDITS = 2

/**
 * The candidate that `word` was probably meant to be: the nearest one, the first among equals.
 * `undefined` when there is none or when `word` is one of them.
 * @param maxEdits unless given 2, and at least half of the word has to be right
 */
export function suggestion(
  word: string,
  candidates: Iterable<string>,
  maxEdits: number = Math.min(MAX_EDITS, Math.floor(word.length / 2)),
): string | undefined {
  let best: string | undefined
  let bestDistance = maxEdits + 1
  for (const candidate of candidates) {
    if (candidate === word) return undefined
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Characters to add, remove, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const changed = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const swapped = isSwap && row > 1 && column > 1 ? (beforeLast[column - 2] ?? 0) + 1 : changed
      current.push(Math.min(changed, swapped))
    }
    beforeLast = last
    last = current
  }
  return last.at(-1) ?? 0
}
