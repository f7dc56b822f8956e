import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { checkpoint } from '#core'

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const SECTOR = 512
/** Bytes: a hole is not smaller on any usual file system. */
const BLOCK = 4096

const buffer = Buffer.allocUnsafeSlow(512 * 1024)
const zeros = Buffer.alloc(BLOCK)

/** Copies the content of a regular file to a new one, which has holes where the file has some. */
export function copyContent(from: Buffer | string, to: Buffer | string): void {
  const source = openSync(from, READ)
  try {
    const target = openSync(to, CREATE, 0o600)
    try {
      const { size, blocks } = fstatSync(source)
      const write = blocks * SECTOR < size ? writeWithHoles : writeWhole
      let at = 0
      for (let got = readSync(source, buffer); got > 0; got = readSync(source, buffer)) {
        checkpoint()
        write(target, buffer.subarray(0, got), at)
        at += got
      }
      ftruncateSync(target, at)
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

function writeWhole(descriptor: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  }
}

function writeWithHoles(descriptor: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK)
    if (!zeros.subarray(0, block.length).equals(block)) writeWhole(descriptor, block, position + at)
  }
}
