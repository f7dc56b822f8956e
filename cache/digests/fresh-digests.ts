import { closeSync, openSync, rmSync } from 'node:fs'
import { comparePaths, errnoOf } from '#core'
import type { DigestEntry } from './digest-block.ts'
import { type BlockLocation, readBlocks, writeBlocks } from './digest-file.ts'

/** So many entries are kept in memory: some two megabytes. */
const MOST_IN_MEMORY = 4096

/**
 * Entries on their way into a file. They may come in any order, and when there are many, they wait in
 * a file without a name: sorted runs, of which a walk makes one and what comes out of order one for
 * thousands of entries.
 */
export class FreshDigests implements Disposable {
  readonly #spillPath: string
  readonly #runs: BlockLocation[][] = []
  #recent: DigestEntry[] = []
  #descriptor: number | undefined
  #end = 0
  /** The last path of the last run. */
  #last = ''

  /** `spillPath`: for the moment in which the file has a name. */
  constructor(spillPath: string) {
    this.#spillPath = spillPath
  }

  get isEmpty(): boolean {
    return this.#recent.length === 0 && this.#runs.length === 0
  }

  push(entry: DigestEntry): void {
    this.#recent.push(entry)
    if (this.#recent.length === MOST_IN_MEMORY) this.#spill()
  }

  /** In the order of their paths; of several for one path the last. */
  entries(): Iterable<DigestEntry> {
    const runs = this.#runs.map((run) => readBlocks(this.#descriptor ?? -1, run))
    return [...runs, sorted(this.#recent)].reduce(mergeEntries)
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
  }

  #spill(): void {
    const entries = sorted(this.#recent)
    const [first, last] = [entries[0]?.path ?? '', entries.at(-1)?.path ?? '']
    this.#descriptor ??= openNameless(this.#spillPath)
    const locations = writeBlocks(this.#descriptor, entries, this.#end)
    const run = this.#runs.at(-1)
    if (run !== undefined && comparePaths(this.#last, first) < 0) run.push(...locations)
    else this.#runs.push([...locations])
    for (const { length } of locations) this.#end += length
    this.#last = last
    this.#recent = []
  }
}

/** Both in order; where both have an entry, that of `newer`. */
export function* mergeEntries(
  older: Iterable<DigestEntry>,
  newer: Iterable<DigestEntry>,
): Generator<DigestEntry> {
  const olds = older[Symbol.iterator]()
  let old = olds.next()
  for (const entry of newer) {
    for (; !old.done && comparePaths(old.value.path, entry.path) <= 0; old = olds.next()) {
      if (old.value.path !== entry.path) yield old.value
    }
    yield entry
  }
  for (; !old.done; old = olds.next()) yield old.value
}

function sorted(entries: readonly DigestEntry[]): readonly DigestEntry[] {
  return entries
    .toSorted((one, other) => comparePaths(one.path, other.path))
    .filter(({ path }, index, all) => path !== all[index + 1]?.path)
}

/** A new file that vanishes when it is closed, however the process ends. */
function openNameless(path: string): number {
  for (;;) {
    // Left by a killed process, or just about to lose its name: it is unused either way.
    rmSync(path, { force: true })
    try {
      const descriptor = openSync(path, 'wx+', 0o600)
      rmSync(path, { force: true })
      return descriptor
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause
    }
  }
}
