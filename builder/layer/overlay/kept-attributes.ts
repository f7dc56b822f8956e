/**
 * What a layer says of a file and the file on the disk cannot have: owners where files belong to the
 * current user, modes that would lock that user out, devices, capabilities, marks of deletions. It is
 * kept in a file beside the directory, so that copying, packing and digesting give the same result
 * whatever the rights of the process are. See docs/owners.md
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { errnoOf, type FileStat, ioError, type Name, ownersFileOf } from '#core'
import { isWhiteoutDevice } from '../paths/whiteout.ts'

/** A device in whose place there is a socket, which no layer has. */
export interface KeptDevice {
  readonly type: 'block' | 'character'
  readonly major: number
  readonly minor: number
}

/** Deletions of one layer. */
export interface KeptDeletions {
  /** Names in whose place there is a socket. */
  readonly whiteouts: readonly Name[]
  /** Whether a directory hides the layers below. */
  readonly hasOpaque: boolean
}

/** What is kept of one file; what is absent is as on the disk. */
export interface KeptRecord {
  readonly owner?: Pick<FileStat, 'uid' | 'gid' | 'isOwnerPresumed'>
  /** With set-id bits and the sticky bit. */
  readonly mode?: number
  readonly device?: KeptDevice
  /** The value of `security.capability`. */
  readonly capability?: Buffer
  /** The directory hides the layers below. */
  readonly isOpaque?: boolean
}

/**
 * `uid:gid`, a question mark where it is presumed, other attributes after commas, and the path; a NUL
 * ends each. What has no other attributes is as tsbuild 0.1 writes it.
 */
const RECORD = /^(?:(\d+):(\d+)(\??))?((?:,[a-z][^, ]*)*) (.*)$/s

/** The kept attributes of one directory, by path. */
export class KeptAttributes {
  readonly #records: Map<Name, KeptRecord>

  constructor(records: Iterable<readonly [Name, KeptRecord]> = []) {
    this.#records = new Map(records)
  }

  /** Reads those of a directory; `undefined` where its files have everything themselves. */
  static of(directory: string): KeptAttributes | undefined {
    const text = readIfThere(ownersFileOf(directory))
    if (text === undefined) return undefined
    // A damaged record is skipped: the digest of the directory shows it.
    return new KeptAttributes(text.split('\0').flatMap((record) => parse(record)))
  }

  get(path: Name): KeptRecord | undefined {
    return this.#records.get(path)
  }

  /** What replaces parts of the disk's answer about a file. */
  statOf(path: Name): Partial<FileStat> {
    const { owner, mode, device } = this.#records.get(path) ?? {}
    return { ...owner, ...device, ...(mode === undefined ? {} : { mode }) }
  }

  /** Adds to what is kept of a file. */
  add(path: Name, record: KeptRecord): void {
    this.#records.set(path, { ...this.#records.get(path), ...record })
  }

  /** Removes what is kept of `path` and everything below it. */
  deleteTree(path: Name): void {
    if (this.#records.size === 0) return
    const below = `${path}/`
    for (const known of this.#records.keys()) {
      if (known === path || known.startsWith(below)) this.#records.delete(known)
    }
  }

  get isEmpty(): boolean {
    return this.#records.size === 0
  }

  /** The deletions among them, which overlayfs sees on the disk only. */
  deletions(): KeptDeletions {
    const records = [...this.#records]
    return {
      whiteouts: records.flatMap(([path, { device }]) => {
        return device !== undefined && isWhiteoutDevice(device) ? [path] : []
      }),
      hasOpaque: records.some(([, { isOpaque }]) => isOpaque === true),
    }
  }

  /** All records, sorted by path. */
  entries(): Iterable<readonly [Name, KeptRecord]> {
    return [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Writes them beside the directory. */
  save(directory: string): void {
    const path = ownersFileOf(directory)
    try {
      writeFileSync(path, this.#text(), 'latin1')
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
  }

  #text(): string {
    return Array.from(this.entries(), ([path, record]) => `${format(record)} ${path}\0`).join('')
  }
}

function format({ owner, mode, device, capability, isOpaque }: KeptRecord): string {
  const parts: string[] = []
  if (owner === undefined) parts.push('')
  else parts.push(`${owner.uid}:${owner.gid}${owner.isOwnerPresumed === true ? '?' : ''}`)
  if (mode !== undefined) parts.push(`m${mode.toString(8)}`)
  if (device !== undefined) parts.push(`${device.type[0]}${device.major}:${device.minor}`)
  if (capability !== undefined) parts.push(`x${capability.toString('hex')}`)
  if (isOpaque === true) parts.push('o')
  return parts.join(',')
}

function parse(record: string): readonly (readonly [Name, KeptRecord])[] {
  const [, uid, gid, mark, attributes = '', path] = RECORD.exec(record) ?? []
  if (path === undefined) return []
  const ids = { uid: Number(uid), gid: Number(gid) }
  const owner = mark === '?' ? { ...ids, isOwnerPresumed: true } : ids
  const parts = attributes.split(',').slice(1).map(parseAttribute)
  return [[path as Name, Object.assign(uid === undefined ? {} : { owner }, ...parts)]]
}

function parseAttribute(text: string): KeptRecord {
  const value = text.slice(1)
  const [major = 0, minor = 0] = value.split(':').map(Number)
  switch (text[0]) {
    case 'm':
      return { mode: Number.parseInt(value, 8) }
    case 'b':
      return { device: { type: 'block', major, minor } }
    case 'c':
      return { device: { type: 'character', major, minor } }
    case 'x':
      return { capability: Buffer.from(value, 'hex') }
    case 'o':
      return { isOpaque: true }
    default:
      return {}
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw ioError(`read ${path}`, cause)
  }
}
