import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { O_PATH } from '#builder/linux'
import { descriptorPath } from '../../root/root-entry.ts'
import type { Lent } from './lent-directory.ts'
import { copyNewFile } from './new-file.ts'

const READ = constants.O_RDONLY | constants.O_NONBLOCK
const REWRITE = constants.O_WRONLY | constants.O_TRUNC | constants.O_NONBLOCK
const CHUNK = 1 << 20

/** A file of which a step has a copy for a while. */
export class LentFile implements Lent {
  readonly descriptor: number
  readonly #source: number
  readonly #readonly: boolean
  readonly #before: Stats

  /** @param source descriptor @param place where nothing is */
  constructor(source: number, place: string | Buffer, options: { readonly readonly: boolean }) {
    const { uid, gid, mode } = fstatSync(source)
    const content = openSync(descriptorPath(source), READ)
    try {
      copyNewFile(place, content, { uid, gid, mode: mode & 0o7777 })
    } finally {
      closeSync(content)
    }
    this.descriptor = openSync(place, O_PATH | constants.O_NOFOLLOW)
    this.#source = source
    this.#readonly = options.readonly
    this.#before = fstatSync(this.descriptor)
  }

  comeBack(): void {
    const { descriptor } = this
    try {
      const { ctimeMs, uid, gid, mode } = fstatSync(descriptor)
      if (this.#readonly || ctimeMs === this.#before.ctimeMs) return
      const path = descriptorPath(this.#source)
      rewrite(path, descriptorPath(descriptor))
      chownSync(path, uid, gid)
      chmodSync(path, mode & 0o7777)
    } finally {
      closeSync(descriptor)
    }
  }
}

function rewrite(to: string, from: string): void {
  const source = openSync(from, READ)
  try {
    const target = openSync(to, REWRITE)
    try {
      const chunk = Buffer.allocUnsafe(CHUNK)
      for (let length = readSync(source, chunk); length > 0; length = readSync(source, chunk)) {
        for (let offset = 0; offset < length; ) {
          offset += writeSync(target, chunk, offset, length - offset)
        }
      }
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}
