import { closeSync, readSync } from 'node:fs'
import { checkpoint, type Digest, Digester, digestOfContent, type FileStat, type Name } from '#core'

const TEXT_LENGTH = 1 << 14

/** What is digested of one selected file or directory. Times are not: a fresh checkout changes them. */
export interface ChecksumEntry {
  /** Relative to what was selected, so that a moved folder is the same content. */
  readonly name: Name
  readonly stat: FileStat
  /** The text of a symbolic link. */
  readonly target?: Name | undefined
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
  /** Of the content of a regular file. */
  readonly data?: Digest | undefined
}

/** Gets what counts of a selection: what was selected by each path, entry by entry. */
export interface ContentSink {
  /** Separates what was selected by one path from what the next one selects. */
  begin(what: string): void
  add(entry: ChecksumEntry): void
}

/**
 * Digest of a selection: of its entries in the order in which they are added.
 * Spec: name, type, mode, owner, link target, size, device, capability and content of each
 */
export class Checksum implements ContentSink {
  readonly #digester = new Digester()
  readonly #onText: ((text: string) => void) | undefined
  /** Not yet digested: a call for every entry would cost more than the digest. */
  #text = ''

  /** @param onText gets what is digested, piece by piece */
  constructor(onText?: (text: string) => void) {
    this.#onText = onText
  }

  begin(what: string): void {
    this.#append(`${what}\0\0`)
  }

  add(entry: ChecksumEntry): void {
    this.#append(recordOf(entry))
  }

  digest(): Digest {
    this.#flush()
    return this.#digester.digest()
  }

  #append(text: string): void {
    this.#text += text
    if (this.#text.length > TEXT_LENGTH) this.#flush()
  }

  #flush(): void {
    this.#digester.update(Buffer.from(this.#text, 'latin1'))
    this.#onText?.(this.#text)
    this.#text = ''
  }
}

/** What is digested of one entry. */
export interface ContentRecord {
  readonly name: Name
  readonly text: string
}

/** The parts of a record, each with a NUL behind it; the name is the first. */
export const RECORD_PARTS = 9

/** Collects what is digested of each entry. */
export class ContentRecords implements ContentSink {
  readonly records: ContentRecord[] = []

  begin(): void {
    // It is at the beginning of the text that these are merged with.
  }

  add(entry: ChecksumEntry): void {
    this.records.push({ name: entry.name, text: recordOf(entry) })
  }
}

function recordOf(entry: ChecksumEntry): string {
  const { stat } = entry
  const mode = stat.type === 'symlink' ? 0o777 : stat.mode
  const capability = entry.xattrs?.get('security.capability')?.toString('hex') ?? ''
  const { type, uid, gid, size, major, minor } = stat
  const device = `${major}:${minor}`
  const metadata = `${type}\0${mode.toString(8)}\0${uid}:${gid}\0${size}\0${device}`
  const { name, target = '', data = '' } = entry
  return `${name}\0${metadata}\0${target}\0${capability}\0${data}\0`
}

const CHUNK = 1 << 18
let shared: Buffer | undefined

/**
 * Reads a whole file. `open` gives the descriptor; it is closed here.
 * @throws the system's error when it cannot be read: only the caller knows the file's name
 */
export function digestFile(open: () => number): Digest {
  const descriptor = open()
  try {
    shared ??= Buffer.allocUnsafeSlow(CHUNK)
    return digestDescriptor(descriptor, shared)
  } finally {
    closeSync(descriptor)
  }
}

function digestDescriptor(descriptor: number, buffer: Buffer): Digest {
  const first = readFull(descriptor, buffer)
  // One call for a small file: setting a hash object up costs as much as hashing 4 KiB.
  if (first < buffer.length) {
    return digestOfContent(buffer.subarray(0, first))
  }
  const digester = new Digester()
  for (let length = first; length > 0; length = readFull(descriptor, buffer)) {
    digester.update(buffer.subarray(0, length))
  }
  return digester.digest()
}

/** Fills `buffer` unless the file ends before. */
function readFull(descriptor: number, buffer: Buffer): number {
  let length = 0
  checkpoint()
  while (length < buffer.length) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, null)
    if (read === 0) break
    length += read
  }
  return length
}
