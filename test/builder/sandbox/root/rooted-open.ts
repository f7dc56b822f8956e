import { Buffer } from 'node:buffer'
import { openLibrary } from '#builder/linux'

/** The number of openat2(2), the same on every machine of Linux. */
const OPENAT2 = 437
/** The kernel gives up a path with `..` in it when anything on the machine is renamed meanwhile. */
const ATTEMPTS = 20
const O_PATH = 0o10000000
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_IN_ROOT = 0x10

/** `struct open_how`: flags, mode, how paths are resolved. */
const HOW: Buffer = Buffer.from(
  BigUint64Array.of(BigInt(O_PATH), 0n, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)).buffer,
)

/**
 * Lets the kernel find what a process would whose root directory is that of a descriptor. An O_PATH
 * descriptor, or a negative number where there is nothing.
 */
export function rootedOpen(): (root: number, path: Buffer) => number {
  const call = openLibrary(null)?.func(
    'int64 syscall(int64, int64, const void *, const void *, int64)',
  )
  if (call === undefined) throw new Error('there is no C library')
  return (root, path) => {
    const text = Buffer.concat([path, Buffer.of(0)])
    let descriptor = -1
    for (let attempt = 0; attempt < ATTEMPTS && descriptor < 0; attempt++) {
      descriptor = Number(call(OPENAT2, root, text, HOW, HOW.length))
    }
    return descriptor
  }
}
