/** The tasks of the thread of one placed root. */
import { threadSettings } from '#builder/threads'
import { PlacedRoot } from '../placed/placed-root.ts'

let placed: PlacedRoot | undefined

function threadRoot(): PlacedRoot {
  placed ??= new PlacedRoot(threadSettings<string>())
  return placed
}

/** Makes the root show a stack, topmost first. */
export function place(lower: readonly string[]): void {
  threadRoot().place(lower)
}

/** Writes what was changed in it to a new directory, in overlay form; it is shown from then on. */
export function collect(upper: string): void {
  threadRoot().collect(upper)
}

/** Says that what was collected last has been changed since. */
export function forgetCollected(): void {
  threadRoot().forgetCollected()
}
