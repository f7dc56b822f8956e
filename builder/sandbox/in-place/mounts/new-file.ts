import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { checkpoint } from '#core'

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const CHUNK = 1 << 20

/** Whose a file is, and who may use it. */
export interface FileAttributes {
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
}

/** Makes a file where nothing is, open to others only once it is complete. */
export function writeNewFile(
  path: string | Buffer,
  content: Uint8Array,
  attributes: FileAttributes,
): void {
  makeFile(path, attributes, (descriptor) => writeWhole(descriptor, content))
}

/** Likewise, with what is left to read of another file. */
export function copyNewFile(path: string | Buffer, from: number, attributes: FileAttributes): void {
  makeFile(path, attributes, (descriptor) => {
    const chunk = Buffer.allocUnsafe(CHUNK)
    for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) {
      checkpoint()
      writeWhole(descriptor, chunk.subarray(0, length))
    }
  })
}

function makeFile(
  path: string | Buffer,
  { uid, gid, mode }: FileAttributes,
  fill: (descriptor: number) => void,
): void {
  const descriptor = openSync(path, CREATE, 0o600)
  try {
    fill(descriptor)
    fchownSync(descriptor, uid, gid)
    fchmodSync(descriptor, mode)
  } finally {
    closeSync(descriptor)
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset)
}
