import { Buffer } from 'node:buffer'
import { fstatSync, ftruncateSync, readSync } from 'node:fs'
import { checkpoint } from '#core'
import { syscall, trySyscall } from '../system/syscalls.ts'
import { dataParts, isSparse } from './sparse-file.ts'
import { writeFully } from './write-all.ts'

/** An open file to read from its beginning, and an empty one to write to. */
export interface CopiedFile {
  readonly from: number
  readonly to: number
  /** Bytes that are expected. */
  readonly size: number
}

/** A part of an open file. */
export interface FilePart {
  readonly file: number
  /** Bytes before it. */
  readonly position: number
  readonly size: number
}

const FICLONE = 0x40049409
const SEEK_SET = 0
/** Below, the call that looks for holes costs more than they do. */
const SMALLEST_SPARSE = 64 * 1024
const CHUNK = 512 * 1024
/** Of one call that copies in the kernel: work is cancelled between calls. */
const RANGE = 64 * 1024 * 1024

/**
 * Copies the content of files in the kernel: shared where the file system can do that, else byte by byte
 * but for holes. What a pair of file systems cannot do is not tried for every file, so one copier is
 * for files from and to the same ones.
 */
export class ContentCopier {
  #canShare = true
  #canCopy = true
  #buffer: Buffer | undefined

  /** @returns the number of bytes; less or more than expected when the file was changed meanwhile */
  copy(file: CopiedFile): number {
    if (file.size > 0 && this.#share(file)) return fstatSync(file.to).size
    if (file.size >= SMALLEST_SPARSE && isSparse(file.from)) return this.#copyParts(file)
    return this.#copyUpTo(file, file.size + 1)
  }

  /** Copies a part of a file to the offset of another one. @throws {Error} when the file is shorter */
  copyPart({ file, position, size }: FilePart, to: number): void {
    syscall('lseek', [file, position, SEEK_SET])
    if (this.#copyUpTo({ from: file, to, size }, size) < size) {
      throw new Error('the file ends before its part')
    }
  }

  #share({ from, to }: CopiedFile): boolean {
    if (!this.#canShare) return false
    this.#canShare = trySyscall('ioctl', [to, FICLONE, from]) >= 0
    return this.#canShare
  }

  /** The holes stay holes. */
  #copyParts(file: CopiedFile): number {
    const { from, to } = file
    for (const { start, end } of dataParts(from)) {
      syscall('lseek', [to, start, SEEK_SET])
      if (this.#copyUpTo(file, end - start) < end - start) break
    }
    const { size } = fstatSync(from)
    ftruncateSync(to, size)
    return size
  }

  /** Copies at the offsets of both descriptors. @returns fewer bytes at the end of the file */
  #copyUpTo({ from, to }: CopiedFile, length: number): number {
    let copied = 0
    while (copied < length) {
      checkpoint()
      const left = length - copied
      const got = this.#canCopy ? this.#copyRange(from, to, left) : this.#readWrite(from, to, left)
      if (got === 0) break
      copied += got ?? 0
    }
    return copied
  }

  /** @returns `undefined` where the kernel does not copy between these files */
  #copyRange(from: number, to: number, length: number): number | undefined {
    const args = [from, undefined, to, undefined, Math.min(length, RANGE), 0]
    const got = trySyscall('copy_file_range', args)
    if (got >= 0) return got
    // EXDEV between file systems, EPERM by a filter, and others of older kernels: plain reading tells.
    this.#canCopy = false
    return undefined
  }

  #readWrite(from: number, to: number, length: number): number {
    this.#buffer ??= Buffer.allocUnsafeSlow(CHUNK)
    const got = readSync(from, this.#buffer, 0, Math.min(length, CHUNK), null)
    writeFully(to, this.#buffer, 0, got)
    return got
  }
}
