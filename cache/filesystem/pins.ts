import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, TsbuildError } from '#core'
import type { FileLock } from './file-lock.ts'
import { type Layout, readIfThere } from './layout.ts'
import type { Presence } from './presence.ts'
import { keepSweepsAway, waitForSweep } from './sweep-gate.ts'

const FILE = 'pins'

/** What a store that cannot be written to fails with. */
const UNWRITABLE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'])
const UNWRITABLE_CODES = new Set(['NO_SPACE', 'PERMISSION_DENIED'])

/**
 * What this process relies on: names of layers and hex digits of blobs, in the file `pins` of its folder below
 * `tmp`. Each is written down before it is looked up for the first time, so that a sweep either sees it, or has
 * removed the thing before it was looked up. Kept until the process ends.
 */
export class Pins implements Disposable {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #names = new Set<string>()
  #file: number | undefined
  /** On a full disk, say: nothing is written down, and no sweep begins as long as this is held. */
  #unwritten: { readonly lock: FileLock | undefined } | undefined

  constructor(layout: Layout, presence: Presence) {
    this.#layout = layout
    this.#presence = presence
  }

  /** To be called before a name is looked up; cheap when it was called for the name before. */
  hold(name: string): void {
    if (this.#names.has(name)) return
    this.#names.add(name)
    if (this.#unwritten !== undefined) return
    try {
      this.#file ??= openSync(this.#presence.own(FILE), 'ax', 0o600)
      const line = Buffer.from(`${name}\n`)
      if (writeSync(this.#file, line) < line.length) throw new UnwrittenError()
    } catch (cause) {
      if (!isUnwritable(cause)) throw cause
      this.#unwritten = { lock: keepSweepsAway(this.#layout) }
    }
    waitForSweep(this.#layout)
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) {
      closeSync(this.#file)
      rmSync(this.#presence.own(FILE), { force: true })
    }
    this.#file = undefined
    this.#unwritten?.lock?.[Symbol.dispose]()
  }
}

class UnwrittenError extends Error {
  readonly code: string = 'ENOSPC'
}

function isUnwritable(cause: unknown): boolean {
  if (cause instanceof TsbuildError) return UNWRITABLE_CODES.has(cause.code)
  return UNWRITABLE.has(errnoOf(cause) ?? '')
}

/** What all processes that live rely on. To be called by a sweep: see `SweepGate`. */
export function pinsOfAll(
  { temporary }: Pick<Layout, 'temporary'>,
  presence: Presence,
): ReadonlySet<string> {
  const living = [...presence.ids()].filter((id) => presence.isAlive(id))
  return new Set(
    living.flatMap(
      (id) =>
        readIfThere(join(temporary, id, FILE))
          ?.trimEnd()
          .split('\n') ?? [],
    ),
  )
}
