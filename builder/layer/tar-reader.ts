import { Buffer } from 'node:buffer'
import { checkpoint, type FileType, type Name } from '#core'
import { decodePax, type PaxRecords } from './pax.ts'
import { decodeBlock, isZeroBlock, type TarBlock } from './tar-block.ts'
import { BLOCK } from './tar-header.ts'

/** As much as Go's archive/tar reads of one. */
const MAX_META_SIZE = 1024 * 1024
const XATTR_KEY = 'SCHILY.xattr.'

export type TarType = Exclude<FileType, 'socket'> | 'hardlink'

/** One member of a tar, as it is written there: nothing about it is checked but its form. */
export interface TarEntry {
  readonly type: TarType
  readonly name: Name
  readonly linkname: Name
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes that follow; 0 unless a regular file. */
  readonly size: number
  readonly mtimeMs: number
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<string, Buffer>
}

/** Is called in the order of the tar. */
export interface TarHandler {
  entry(entry: TarEntry): void
  /** A piece of the content of the last entry. */
  content(bytes: Buffer): void
  /** All content of the last entry has passed. */
  end(): void
}

const TYPES: ReadonlyMap<string, TarType> = new Map([
  ['\0', 'file'],
  ['0', 'file'],
  ['7', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
])

/** What the bytes to come are. */
type State = 'header' | 'meta' | 'content' | 'padding' | 'ended'

/**
 * Takes a tar apart, piece by piece as it arrives and without waiting, so that a worker can write
 * files between two pieces. It accepts no more than Go's archive/tar does: two readers that see
 * different files in one layer are an attack. Sparse files are refused.
 */
export class TarReader {
  readonly #handler: TarHandler
  #state: State = 'header'
  /** Bytes that are missing from the current header, content or padding. */
  #left = BLOCK
  /** Of a header or meta entry that came in pieces. */
  #pieces: Buffer[] = []
  #metaFlag = ''
  #metaPadding = 0
  #contentPadding = 0
  #zeroBlocks = 0
  #pax: PaxRecords = new Map()
  #longName: string | undefined
  #longLinkname: string | undefined

  constructor(handler: TarHandler) {
    this.#handler = handler
  }

  /** @throws {Error} with what is wrong, or what the handler throws */
  write(bytes: Buffer): void {
    checkpoint()
    for (let at = 0; at < bytes.length && this.#state !== 'ended'; ) {
      const end = Math.min(at + this.#left, bytes.length)
      this.#left -= end - at
      this.#take(bytes.subarray(at, end))
      at = end
    }
  }

  /** After the last byte. A missing end mark is no mistake. */
  end(): void {
    const isBetween = this.#state === 'header' && this.#left === BLOCK
    if (!isBetween && this.#state !== 'ended') throw new Error('unexpected end')
  }

  /** `piece` never reaches beyond the current part. */
  #take(piece: Buffer): void {
    switch (this.#state) {
      case 'header':
      case 'meta':
        if (this.#left > 0) this.#pieces.push(Buffer.from(piece))
        else this.#takeWhole(piece)
        break
      case 'content':
        this.#handler.content(piece)
        if (this.#left === 0) this.#endContent()
        break
      case 'padding':
        if (this.#left === 0) this.#await('header', BLOCK)
        break
      case 'ended':
        break
    }
  }

  #takeWhole(last: Buffer): void {
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    if (this.#state === 'header') this.#header(whole)
    else this.#meta(whole)
  }

  #await(state: State, bytes: number): void {
    this.#state = state
    this.#left = bytes
  }

  #header(block: Buffer): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#zeroBlocks += 1
      this.#await(this.#zeroBlocks === 2 ? 'ended' : 'header', BLOCK)
      return
    }
    if (this.#zeroBlocks > 0) throw new Error('a lone zero block between entries')
    const fields = decodeBlock(block)
    if (fields.size < 0) throw new Error('negative size')
    if ('xgLK'.includes(fields.flag)) this.#beginMeta(fields)
    else this.#begin(fields)
  }

  #beginMeta({ flag, size }: TarBlock): void {
    if (size > MAX_META_SIZE) throw new Error(`extended header of ${size} bytes is too long`)
    this.#metaFlag = flag
    this.#metaPadding = -size & (BLOCK - 1)
    this.#await('meta', size)
    if (size === 0) this.#takeWhole(Buffer.alloc(0))
  }

  #meta(body: Buffer): void {
    const text = () => body.toString('latin1').replace(/\0.*$/s, '')
    if (this.#metaFlag === 'x') this.#pax = decodePax(body)
    else if (this.#metaFlag === 'L') this.#longName = text()
    else if (this.#metaFlag === 'K') this.#longLinkname = text()
    // Global records are read to find mistakes; like docker and containerd, nothing uses them.
    else decodePax(body)
    this.#await('padding', this.#metaPadding)
    if (this.#metaPadding === 0) this.#await('header', BLOCK)
  }

  #begin(fields: TarBlock): void {
    const entry = toEntry(fields, this.#pax, {
      name: this.#longName,
      linkname: this.#longLinkname,
    })
    this.#pax = new Map()
    this.#longName = undefined
    this.#longLinkname = undefined
    this.#contentPadding = -entry.size & (BLOCK - 1)
    this.#await('content', entry.size)
    this.#handler.entry(entry)
    if (entry.size === 0) this.#endContent()
  }

  #endContent(): void {
    this.#await('padding', this.#contentPadding)
    if (this.#contentPadding === 0) this.#await('header', BLOCK)
    this.#handler.end()
  }
}

/** Only these types have content; what others say about their size means nothing. */
function toEntry(
  fields: TarBlock,
  pax: PaxRecords,
  long: { readonly name: string | undefined; readonly linkname: string | undefined },
): TarEntry {
  const name = long.name || pax.get('path') || fields.name
  const type = typeOf(fields.flag, name)
  if (pax.size > 0 && [...pax.keys()].some(isSparseKey)) throw sparse(name)
  const size = wholeNumber(pax, 'size') ?? fields.size
  return {
    type,
    name: name as Name,
    linkname: (long.linkname || pax.get('linkpath') || fields.linkname) as Name,
    mode: fields.mode & 0o7777,
    uid: wholeNumber(pax, 'uid') ?? fields.uid,
    gid: wholeNumber(pax, 'gid') ?? fields.gid,
    size: type === 'file' ? size : 0,
    mtimeMs: (timeOf(pax) ?? fields.mtime) * 1000,
    major: fields.major,
    minor: fields.minor,
    xattrs: xattrsOf(pax),
  }
}

function typeOf(flag: string, name: string): TarType {
  if (flag === 'S') throw sparse(name)
  const type = TYPES.get(flag)
  if (type === undefined)
    throw new Error(`unknown type ${JSON.stringify(flag)} of ${JSON.stringify(name)}`)
  if (type !== 'file' || !name.endsWith('/')) return type
  if (flag === '\0') return 'directory'
  throw new Error(`a file with the name of a directory, ${JSON.stringify(name)}`)
}

/** An empty value means: as the header says. */
function wholeNumber(pax: PaxRecords, key: string): number | undefined {
  const text = pax.get(key)
  if (text === undefined || text === '') return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new Error(`bad PAX ${key} ${JSON.stringify(text.slice(0, 50))}`)
}

/** Seconds. */
function timeOf(pax: PaxRecords): number | undefined {
  const text = pax.get('mtime')
  if (text === undefined || text === '') return undefined
  if (/^-?\d{1,15}(\.\d*)?$/.test(text)) return Number(text)
  throw new Error(`bad PAX mtime ${JSON.stringify(text.slice(0, 50))}`)
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

function xattrsOf(pax: PaxRecords): ReadonlyMap<string, Buffer> {
  if (pax.size === 0) return NO_XATTRS
  const found = [...pax].filter(([key]) => key.startsWith(XATTR_KEY))
  return new Map(
    found.map(([key, value]) => [key.slice(XATTR_KEY.length), Buffer.from(value, 'latin1')]),
  )
}

function isSparseKey(key: string): boolean {
  return key.startsWith('GNU.sparse.')
}

function sparse(name: string): Error {
  return new Error(`sparse file ${JSON.stringify(name)} is not supported`)
}

/** True when the first 512 bytes of something are the header of a tar's first entry. */
export function isTarHeader(start: Uint8Array): boolean {
  if (start.length < BLOCK || start[0] === 0) return false
  try {
    decodeBlock(Buffer.from(start.buffer, start.byteOffset, BLOCK))
    return true
  } catch {
    return false
  }
}
