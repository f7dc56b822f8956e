import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, type Json, TsbuildError } from '#core'
import { namesIn, statOf } from '../filesystem/best-effort.ts'
import { storeError } from '../filesystem/failure.ts'
import type { Layout } from '../filesystem/layout.ts'
import { type Pins, pinsOfAll } from '../filesystem/pins.ts'
import type { Presence } from '../filesystem/presence.ts'
import { type LogPiece, readLog } from './log-segments.ts'
import { StepLog } from './step-log.ts'

/** A build that a store remembers. */
export interface StoredBuild {
  readonly id: string
  /** The process that builds is alive. */
  readonly isRunning: boolean
  readonly document: Json
}

/** Builds that are remembered. */
const MOST = 128
/** Failed steps of which it is kept what they have left. */
const MOST_KEPT = 4
const DOCUMENT = 'build.json'

/**
 * The builds of a store: a folder each, with a document about the build and the output of its steps, and what
 * failed steps have left. A folder is made with the first byte of output, or when the build ends. Nothing of it is
 * synced, and nothing here fails a build.
 */
export class BuildFolders {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #pins: Pins
  #isMade = false

  constructor(layout: Layout, presence: Presence, pins: Pins) {
    this.#layout = layout
    this.#presence = presence
    this.#pins = pins
  }

  /** Of the build of this process, which has one store for it. */
  get id(): string {
    return this.#presence.id
  }

  /** A log for a step of this build. @param document what is known of the build by then */
  log(step: string, document: () => Json): StepLog {
    return new StepLog(() => {
      if (!this.#isMade) this.#write(document())
      return join(this.#folder(this.id), step)
    })
  }

  /** Remembers this build, and forgets the oldest ones. Best effort. */
  end(document: Json): void {
    bestEffort(() => {
      this.#write(document)
      this.#forgetOldest()
    })
  }

  /**
   * Keeps a directory that a step of this build has left, from a `temporary()` of the same store.
   * @returns whether it is kept
   */
  keep(step: string, directory: string): boolean {
    return bestEffort(() => {
      this.#presence.establish()
      makeFolder(this.#layout.kept)
      const path = this.#keptPath(this.id, step)
      if (statOf(path) !== undefined) this.#presence.discard(path)
      renameSync(directory, path)
      this.#dropOldest()
    })
  }

  /** What a step has left; it stays until this process ends. */
  kept(id: string, step: string): string | undefined {
    const path = this.#keptPath(id, step)
    this.#pins.hold(basename(path))
    return statOf(path) === undefined ? undefined : path
  }

  /** All of them, in no order; a damaged one is left out. */
  all(): readonly StoredBuild[] {
    return namesIn(this.#layout.builds).flatMap((id) => {
      const document = this.#read(id)
      return document === undefined ? [] : [{ id, document, isRunning: this.#presence.isAlive(id) }]
    })
  }

  /** What a step has printed, as far as it is kept. @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED */
  *output(id: string, step: string): Generator<LogPiece, void> {
    try {
      yield* readLog(join(this.#folder(id), step))
    } catch (cause) {
      throw errnoOf(cause) === undefined ? cause : storeError(`read the output of ${step}`, cause)
    }
  }

  #folder(id: string): string {
    return join(this.#layout.builds, id)
  }

  #keptPath(id: string, step: string): string {
    return join(this.#layout.kept, `${id}.${step}`)
  }

  #write(document: Json): void {
    // Who has a folder here is known to live, so that it stays.
    this.#presence.establish()
    makeFolder(this.#layout.builds)
    const folder = this.#folder(this.id)
    makeFolder(folder)
    const file = join(folder, `${DOCUMENT}.new`)
    writeFileSync(file, JSON.stringify(document), { mode: 0o600 })
    renameSync(file, join(folder, DOCUMENT))
    this.#isMade = true
  }

  #read(id: string): Json | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#folder(id), DOCUMENT), 'utf8')) as Json
    } catch (cause) {
      if (errnoOf(cause) === undefined && !(cause instanceof SyntaxError)) throw cause
      return undefined
    }
  }

  #forgetOldest(): void {
    for (const id of oldestIn(this.#layout.builds, MOST)) {
      if (!this.#presence.isAlive(id)) this.#presence.discard(this.#folder(id))
    }
  }

  #dropOldest(): void {
    const oldest = oldestIn(this.#layout.kept, MOST_KEPT)
    if (oldest.length === 0) return
    const pins = pinsOfAll(this.#layout, this.#presence)
    for (const name of oldest) {
      if (!pins.has(name)) this.#presence.discard(join(this.#layout.kept, name))
    }
  }
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** The names in a folder but for the `newest`. By the time of their last change of name or content. */
function oldestIn(folder: string, newest: number): readonly string[] {
  const names = namesIn(folder)
  if (names.length <= newest) return []
  const changed = names.map((name) => ({ name, at: statOf(join(folder, name))?.ctimeMs ?? 0 }))
  changed.sort((a, b) => b.at - a.at)
  return changed.slice(newest).map(({ name }) => name)
}

function bestEffort(action: () => void): boolean {
  try {
    action()
    return true
  } catch (cause) {
    if (errnoOf(cause) === undefined && !(cause instanceof TsbuildError)) throw cause
    return false
  }
}
