import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { hashOfBytes, hashOfText, mix } from './hash.ts'

/*
 * A file of compiled code: four words, names, then what V8 made. V8 takes such code for what it says it is, so
 * that a flipped bit would change what the program does; the words have a checksum of all else.
 */

/** What V8 compiled of a program. */
export interface CompiledCode {
  readonly code: Uint8Array
  /** Names of the files that were loaded in the runs whose functions it has. */
  readonly runs: readonly string[]
}

/** Names the format; the last digit counts its changes. */
const MAGIC = 0x7b5c0d01
/** Places of the words. The lengths are those of the names and of the code, in bytes. */
const WORDS = { magic: 0, checksum: 1, namesLength: 2, codeLength: 3 }
const HEAD_BYTES = 16
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants

/**
 * Reads the code for the program that `key` names; `undefined` where there is none that can be trusted:
 * by another user, writable for others, cut off, changed, or for another program.
 */
export function readCode(path: string, key: string): CompiledCode | undefined {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const { uid, mode, size } = fstatSync(fd)
    const isPlain = (mode & constants.S_IFMT) === constants.S_IFREG
    if (!isPlain || uid !== process.geteuid?.() || (mode & 0o077) !== 0) return undefined
    // Memory of its own: V8 copies what is not aligned.
    const bytes = Buffer.allocUnsafeSlow(size)
    return readSync(fd, bytes) === size ? checkCode(bytes, key) : undefined
  } catch {
    // Read-only for a disk that fails, too.
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** Takes the bytes of a file for what they are; as `readCode`. @param bytes aligned to words */
export function checkCode(bytes: Buffer, key: string): CompiledCode | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const [magic, checksum, namesLength = 0, codeLength = 0] = headOf(bytes)
  if (magic !== MAGIC || HEAD_BYTES + namesLength + codeLength !== bytes.length) return undefined
  if (checksum !== checksumOf(bytes, key)) return undefined
  const codeAt = HEAD_BYTES + namesLength
  return {
    code: bytes.subarray(codeAt),
    runs: bytes.toString('latin1', HEAD_BYTES, codeAt).trimEnd().split(' '),
  }
}

/**
 * Writes the file anew, so that a reader finds the whole of it or what was there before.
 * @throws where it cannot be written; then nothing is left
 */
export function writeCode(path: string, key: string, compiled: CompiledCode): void {
  const names = compiled.runs.join(' ')
  // V8 copies code that is not aligned.
  const codeAt = Math.ceil((HEAD_BYTES + names.length) / 16) * 16
  const bytes = Buffer.alloc(codeAt + compiled.code.length, ' ')
  bytes.write(names, HEAD_BYTES, 'latin1')
  bytes.set(compiled.code, codeAt)
  const head = headOf(bytes)
  head[WORDS.magic] = MAGIC
  head[WORDS.namesLength] = codeAt - HEAD_BYTES
  head[WORDS.codeLength] = compiled.code.length
  head[WORDS.checksum] = checksumOf(bytes, key)
  const draft = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`
  try {
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, path)
  } catch (cause) {
    rmSync(draft, { force: true })
    throw cause
  }
}

function headOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, HEAD_BYTES / 4)
}

/** Of everything but itself, and of the key. */
function checksumOf(bytes: Uint8Array, key: string): number {
  const head = headOf(bytes)
  const seed = mix(mix(hashOfText(key), head[WORDS.namesLength] ?? 0), head[WORDS.codeLength] ?? 0)
  return hashOfBytes(bytes.subarray(HEAD_BYTES), seed)
}
