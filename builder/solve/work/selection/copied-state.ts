import { Buffer } from 'node:buffer'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs'
import type { KeptState } from '#builder/tree'
import { asDiffId, type DiffId, type Digest, digestOf, errnoOf, hexOf, type Name } from '#core'

/**
 * What a context was like when a copy of a directory of it was made: the next version of the copy looks only at
 * what was changed since. See docs/adr/0058
 */
export interface CopiedState extends KeptState {
  /** Of what is selected, and how. */
  readonly selection: Digest
  /** Of all else that the layer depends on. */
  readonly basis: Digest
  /** What was digested of the directory. */
  readonly text: string
}

/** The same, with the layer that was made. */
export interface KnownCopy extends CopiedState {
  readonly base: DiffId
}

interface Header extends Pick<CopiedState, 'selection' | 'basis' | 'recent'> {
  /** Path and number of bytes of each. */
  readonly folders: readonly (readonly [Name, number])[]
}

/** Where more was changed, it is as quick to look at all. */
export const MOST_CHANGED = 500
/** More would take long to read, and much memory. */
const MOST_BYTES = 64 << 20
/** At the end: digits of the sha256 of all that is before, and of the layer's diffID. */
const END = /^([0-9a-f]{64}) ([0-9a-f]{64})$/
const END_BYTES = 129

/**
 * Writes the file, but for its end.
 * @param path a file to create
 * @returns what `completeCopiedState` needs; `undefined` where it is not worth it, or the disk refuses
 */
export function writeCopiedState(path: string, state: CopiedState): Digest | undefined {
  const { selection, basis, recent, folders, text } = state
  if (recent.length > MOST_CHANGED) return undefined
  const sizes = [...folders].map(([name, { length }]) => [name, length] as const)
  const header: Header = { selection, basis, recent, folders: sizes }
  const parts = [Buffer.from(`${JSON.stringify(header)}\n`), ...folders.values()]
  const bytes = Buffer.concat([...parts, Buffer.from(text, 'latin1')])
  if (bytes.length > MOST_BYTES) return undefined
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 })
    return digestOf(bytes)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

/**
 * Completes a file once the layer is known.
 * @param digest what `writeCopiedState` returned
 * @returns false where the disk refuses
 */
export function completeCopiedState(path: string, digest: Digest, base: DiffId): boolean {
  try {
    appendFileSync(path, `${hexOf(digest)} ${hexOf(base)}`)
    return true
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
}

/** `undefined` for a file that is missing, unfinished or damaged. */
export function readCopiedState(path: string): KnownCopy | undefined {
  const bytes = readIfThere(path)
  if (bytes === undefined) return undefined
  const size = bytes.length - END_BYTES
  const end = END.exec(bytes.toString('latin1', size))
  const [, digest = '', base = ''] = end ?? []
  const content = bytes.subarray(0, Math.max(size, 0))
  if (end === null || digestOf(content) !== `sha256:${digest}`) return undefined
  return { ...parse(content), base: asDiffId(`sha256:${base}` as Digest) }
}

/** The layer that a file names, whatever else is in it. */
export function baseOfCopiedState(path: string): DiffId | undefined {
  const end = Buffer.alloc(END_BYTES)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, end, 0, END_BYTES, Math.max(0, fstatSync(file).size - END_BYTES))
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
  }
  const base = END.exec(end.toString('latin1'))?.[2]
  return base === undefined ? undefined : asDiffId(`sha256:${base}` as Digest)
}

/** What has its digest is what was written. */
function parse(content: Buffer): CopiedState {
  const line = content.indexOf('\n')
  const header = JSON.parse(content.toString('utf8', 0, line)) as Header
  let at = line + 1
  const folders = new Map<Name, Uint8Array>()
  for (const [name, size] of header.folders) {
    folders.set(name, content.subarray(at, at + size))
    at += size
  }
  const { selection, basis, recent } = header
  return { selection, basis, recent, folders, text: content.toString('latin1', at) }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
