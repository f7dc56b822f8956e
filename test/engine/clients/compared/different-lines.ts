/** A line that only one of two engines has said: `-` the witness, `+` the engine under test. */
export type DifferentLine = `${'-' | '+'} ${string}`

/** What the line of a document is the value of. */
export function pathOf(line: DifferentLine): string {
  return line.slice('- '.length).split(' = ', 1).join('')
}

/** The lines that differ, in order, by the longest common subsequence. */
export function differentLines(
  witness: readonly string[],
  tested: readonly string[],
): readonly DifferentLine[] {
  const common = lengthsOfCommon(witness, tested)
  const found: DifferentLine[] = []
  let [left, right] = [0, 0]
  while (left < witness.length || right < tested.length) {
    const [theirs, ours] = [witness[left], tested[right]]
    if (theirs !== undefined && theirs === ours) {
      left++
      right++
    } else if (
      ours === undefined ||
      (theirs !== undefined && at(common, left + 1, right) >= at(common, left, right + 1))
    ) {
      found.push(`- ${theirs ?? ''}`)
      left++
    } else {
      found.push(`+ ${ours}`)
      right++
    }
  }
  return found
}

type Lengths = readonly Uint16Array[]

function at(lengths: Lengths, left: number, right: number): number {
  return lengths[left]?.[right] ?? 0
}

/** For each pair of ends, how many lines they have in common. */
function lengthsOfCommon(a: readonly string[], b: readonly string[]): Lengths {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let left = a.length - 1; left >= 0; left--) {
    for (let right = b.length - 1; right >= 0; right--) {
      const row = lengths[left]
      if (row === undefined) continue
      row[right] =
        a[left] === b[right]
          ? at(lengths, left + 1, right + 1) + 1
          : Math.max(at(lengths, left + 1, right), at(lengths, left, right + 1))
    }
  }
  return lengths
}
