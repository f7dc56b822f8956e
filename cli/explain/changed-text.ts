/** Characters of a value that are shown. */
const MOST = 70
/** Characters of what is equal, around what is not. */
const AROUND = 20

/**
 * Two values with an arrow between them: `"a" -> "b"`. Of long ones only what differs is shown, with a little
 * of what is around it; of texts with several lines, the first lines that differ.
 */
export function changedText(from: string, to: string): string {
  if (!from.includes('\n') && !to.includes('\n')) return arrow(from, to)
  const [before, after] = [from.split('\n'), to.split('\n')]
  const index = before.findIndex((line, at) => line !== after[at])
  const at = index < 0 ? before.length : index
  return `in line ${at + 1}: ${arrow(before[at] ?? '', after[at] ?? '')}`
}

/** A value in quotes; a long one is cut. */
export function quoted(value: string): string {
  const [first = '', ...more] = value.split('\n')
  const isWhole = more.length === 0 && first.length <= MOST
  return isWhole ? JSON.stringify(first) : `${JSON.stringify(first.slice(0, MOST))}…`
}

function arrow(from: string, to: string): string {
  if (from.length <= MOST && to.length <= MOST) {
    return `${JSON.stringify(from)} -> ${JSON.stringify(to)}`
  }
  const common = commonStart(from, to)
  const start = Math.max(0, common - AROUND)
  // What is equal at both ends must not be counted twice.
  const most = Math.min(from.length, to.length) - common
  const end = Math.max(0, Math.min(most, commonStart(reversed(from), reversed(to))) - AROUND)
  return `${part(from, start, end)} -> ${part(to, start, end)}`
}

function part(text: string, start: number, end: number): string {
  const last = Math.max(start, text.length - end)
  const shown = text.slice(start, Math.min(last, start + MOST))
  const before = start > 0 ? '…' : ''
  const after = start + shown.length < text.length ? '…' : ''
  return `${before}${JSON.stringify(shown)}${after}`
}

function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}

function reversed(text: string): string {
  return [...text].reverse().join('')
}
