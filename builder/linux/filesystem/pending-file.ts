import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { randomName } from '#core'
import { AT_FDCWD, cString, syscall } from '../system/syscalls.ts'
import { openNameless } from './nameless-file.ts'
import { writeFully } from './write-all.ts'

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const AT_SYMLINK_FOLLOW = 0x400

/**
 * A file that takes its name, or the place of the file that has it, when it is complete. Until then it
 * has none where the file system allows that, so that nothing is left of it however the process ends;
 * elsewhere it has a random name that does not exist yet, links included.
 */
export class PendingFile implements Disposable {
  /** Open for writing. */
  readonly descriptor: number
  readonly #path: string
  #temporary: string | undefined

  /** @param mode the umask takes from it. @throws as open(2) fails */
  constructor(path: string, mode: number = 0o666) {
    this.#path = path
    const nameless = openNameless(dirname(path), constants.O_WRONLY, mode)
    if (nameless === undefined) this.#temporary = temporaryName(path)
    this.descriptor = nameless ?? openSync(this.#temporary ?? path, CREATE, mode)
  }

  /** Adds to what has been written. @throws as write(2) fails */
  write(bytes: Uint8Array): void {
    writeFully(this.descriptor, bytes)
  }

  /** Gives the file its name. `flush`: not before it is on the disk. @throws as link(2), rename(2) fail */
  commit(options: { readonly flush?: boolean } = {}): void {
    if (options.flush === true) fsyncSync(this.descriptor)
    if (this.#temporary === undefined) {
      const name = temporaryName(this.#path)
      linkDescriptor(this.descriptor, name)
      this.#temporary = name
    }
    renameSync(this.#temporary, this.#path)
    this.#temporary = undefined
  }

  /** Closes the file, and removes it unless it was committed. */
  [Symbol.dispose](): void {
    closeSync(this.descriptor)
    if (this.#temporary !== undefined) rmSync(this.#temporary, { force: true })
  }
}

/** Gives a file without a name one. The link in /proc needs no right that a user lacks. */
function linkDescriptor(descriptor: number, name: string): void {
  const from = cString(`/proc/self/fd/${descriptor}`)
  syscall('linkat', [AT_FDCWD, from, AT_FDCWD, cString(name), AT_SYMLINK_FOLLOW], name)
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 100)}.${randomName(16)}`)
}
