import { Buffer } from 'node:buffer'
import { AT_FDCWD, cString, syscall } from '../system/syscalls.ts'

/** Times in nanoseconds since the epoch. */
export interface FileTimes {
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
}

/** Sets the times of what `path` names, exactly; a link is followed, so give /proc/self/fd/N. */
export function setFileTimes(path: Buffer | string, times: FileTimes): void {
  const spec = Buffer.alloc(32)
  writeTime(spec, 0, times.atimeNs)
  writeTime(spec, 16, times.mtimeNs)
  const terminated = cString(path)
  syscall('utimensat', [AT_FDCWD, terminated, spec, 0], terminated)
}

function writeTime(spec: Buffer, offset: number, time: bigint): void {
  const nanoseconds = ((time % BILLION) + BILLION) % BILLION
  spec.writeBigInt64LE((time - nanoseconds) / BILLION, offset)
  spec.writeBigInt64LE(nanoseconds, offset + 8)
}

const BILLION = 1_000_000_000n
