import { fstatSync } from 'node:fs'
import { SystemError, syscall, trySyscall } from '../system/syscalls.ts'

/** A part of a file, in bytes. */
export interface DataPart {
  readonly start: number
  readonly end: number
}

const SEEK_SET = 0
const SEEK_CUR = 1
const SEEK_DATA = 3
const SEEK_HOLE = 4
const ENXIO = 6
const BLOCK = 512

/** Whether an open file takes less on the disk than it is long. */
export function isSparse(file: number): boolean {
  const { size, blocks } = fstatSync(file)
  return blocks * BLOCK < size
}

/**
 * The parts of an open file that are no holes, in order. The offset of the descriptor is at the start of each when
 * it is taken. A file that grows meanwhile has more of them.
 */
export function* dataParts(file: number): Generator<DataPart, void, undefined> {
  for (let end = 0; ; ) {
    const start = trySyscall('lseek', [file, end, SEEK_DATA])
    if (start === -ENXIO) return
    if (start < 0) throw new SystemError(-start, 'lseek', undefined)
    end = syscall('lseek', [file, start, SEEK_HOLE])
    syscall('lseek', [file, start, SEEK_SET])
    yield { start, end }
  }
}

/** Moves the offset of an open file, so that what is between becomes a hole once something is written behind it. */
export function skipBytes(file: number, length: number): void {
  syscall('lseek', [file, length, SEEK_CUR])
}
