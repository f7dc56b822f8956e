import { Buffer } from 'node:buffer'
import { closeSync, constants, openSync, readSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomName } from '#core'
import { cString, syscall } from '../system/syscalls.ts'
import { ContentCopier, type FilePart } from './content-copier.ts'
import { openNameless } from './nameless-file.ts'

const MFD_CLOEXEC = 1
/** In memory up to here: a file without a name costs more. */
const SMALL_BYTES = 256 * 1024

/**
 * A part of a file as a file of its own, opened for reading, which is gone when it is closed.
 * @param path of the file, beside which there is room for a large part
 * @throws {SystemError} and failures of the file system
 */
export function openPart(part: FilePart, path: string): number {
  const descriptor = part.size <= SMALL_BYTES ? openInMemory() : openUnnamed(dirname(path))
  try {
    new ContentCopier().copyPart(part, descriptor)
    syscall('lseek', [descriptor, 0, 0])
    return descriptor
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

function openInMemory(): number {
  const name = cString('part')
  return syscall('memfd_create', [name, MFD_CLOEXEC], name)
}

/** Some file systems know no files without a name: there it is taken away at once. */
function openUnnamed(directory: string): number {
  const mode = 0o600
  const nameless = openNameless(directory, constants.O_RDWR, mode)
  if (nameless !== undefined) return nameless
  const path = join(directory, `part-${randomName(20)}`)
  const descriptor = openSync(path, 'wx+', mode)
  unlinkSync(path)
  return descriptor
}

/** Small parts of one file, which mostly follow each other: several are read at once. */
export class PartReader {
  readonly #window: Buffer
  #file = -1
  #start = 0
  #end = 0

  constructor(size: number) {
    this.#window = Buffer.allocUnsafeSlow(size)
  }

  /** The bytes of a part, valid until the next call; `undefined` for one that is larger than the window. */
  read({ file, position, size }: FilePart): Buffer | undefined {
    if (size > this.#window.length) return undefined
    const isRead = file === this.#file && position >= this.#start && position + size <= this.#end
    if (!isRead) {
      const got = readSync(file, this.#window, 0, this.#window.length, position)
      this.#file = file
      this.#start = position
      this.#end = position + got
      if (got < size) throw new Error('the file ends before its part')
    }
    return this.#window.subarray(position - this.#start, position - this.#start + size)
  }
}
