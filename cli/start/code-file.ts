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

/*
 * A file of compiled code: three words, names, then what V8 made; and all of that once more. V8 takes such code
 * for what it says it is, so that a flipped bit would change what the program does. Comparing two copies
 * takes a tenth of the time of a checksum in JavaScript, which V8 has to compile and optimize first.
 */

/** What V8 compiled of a program. */
export interface CompiledCode {
  readonly code: Uint8Array
  /** Names of the files that were loaded in the runs whose functions it has. */
  readonly runs: readonly string[]
}

/** Names the format; the last digit counts its changes. */
const MAGIC = 0x7b5c0d02
/** Places of the words. The lengths are those of the names and of the code, in bytes. */
const WORDS = { magic: 0, namesLength: 1, codeLength: 2 }
const HEAD_BYTES = 16
/** So much of the second copy is read at once. */
const COMPARED_BYTES = 64 * 1024
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
    if (size % 2 !== 0) return undefined
    // Memory of its own: V8 copies what is not aligned.
    const bytes = Buffer.allocUnsafeSlow(size / 2)
    const isWhole = readSync(fd, bytes) === bytes.length && isRepeated(fd, bytes)
    return isWhole ? take(bytes, key) : undefined
  } catch {
    // Read-only for a disk that fails, too.
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** Whether the rest of the file is what was read of it. */
function isRepeated(fd: number, bytes: Buffer): boolean {
  const buffer = Buffer.allocUnsafeSlow(COMPARED_BYTES)
  for (let at = 0; at < bytes.length; at += COMPARED_BYTES) {
    const part = bytes.subarray(at, at + COMPARED_BYTES)
    const length = readSync(fd, buffer, 0, part.length, null)
    if (!buffer.subarray(0, length).equals(part)) return false
  }
  return true
}

/** As `readCode`, of the bytes of such a file. @param bytes aligned to words */
export function checkCode(bytes: Buffer, key: string): CompiledCode | undefined {
  const half = bytes.length / 2
  const isRepeated = bytes.subarray(0, half).equals(bytes.subarray(half))
  return isRepeated ? take(bytes.subarray(0, half), key) : undefined
}

function take(bytes: Buffer, key: string): CompiledCode | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const [magic, namesLength = 0, codeLength = 0] = headOf(bytes)
  const codeAt = HEAD_BYTES + namesLength
  if (magic !== MAGIC || codeAt + codeLength !== bytes.length) return undefined
  const [program, ...runs] = JSON.parse(bytes.toString('utf8', HEAD_BYTES, codeAt)) as string[]
  return program === key ? { code: bytes.subarray(codeAt), runs } : undefined
}

/**
 * Writes the file anew, so that a reader finds the whole of it or what was there before.
 * @throws where it cannot be written; then nothing is left
 */
export function writeCode(path: string, key: string, compiled: CompiledCode): void {
  const names = JSON.stringify([key, ...compiled.runs])
  // V8 copies code that is not aligned.
  const codeAt = Math.ceil((HEAD_BYTES + Buffer.byteLength(names)) / 16) * 16
  const bytes = Buffer.alloc(codeAt + compiled.code.length, ' ')
  bytes.write(names, HEAD_BYTES)
  bytes.set(compiled.code, codeAt)
  const head = headOf(bytes)
  head[WORDS.magic] = MAGIC
  head[WORDS.namesLength] = codeAt - HEAD_BYTES
  head[WORDS.codeLength] = compiled.code.length
  const draft = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`
  try {
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      for (const copy of [bytes, bytes]) {
        for (let at = 0; at < copy.length; ) at += writeSync(fd, copy, at)
      }
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
