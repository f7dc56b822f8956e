import { closeSync, constants, openSync } from 'node:fs'
import { FolderScanner, type RootedDirectory, ScannedEntries } from '#builder/linux'
import type { Name } from '#core'

const LIST = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Lists one folder after another, with what the kernel says of each entry. */
export class FolderLister {
  readonly #root: RootedDirectory
  readonly #scanner = new FolderScanner()

  constructor(root: RootedDirectory) {
    this.#root = root
  }

  /** What is in the folder at `path`. @throws as open(2) and statx(2) fail */
  list(path: Name): ScannedEntries {
    const descriptor = openSync(`${this.#root.inside(path)}/.`, LIST)
    try {
      const parts: Uint8Array[] = []
      for (const count of this.#scanner.scan(descriptor)) {
        for (let index = 0; index < count; index++) this.#scanner.keep(index)
        parts.push(new Uint8Array(this.#scanner.kept()))
      }
      const [first] = parts
      return new ScannedEntries(
        first !== undefined && parts.length === 1 ? first : Buffer.concat(parts),
      )
    } finally {
      closeSync(descriptor)
    }
  }
}

/** Nanoseconds since the epoch of a file that is listed. */
export function modifiedAt(entries: ScannedEntries, name: Name): bigint {
  const time = entries.modifiedOf(name)
  return time === undefined ? 0n : BigInt(time.seconds) * BILLION + BigInt(time.nanoseconds)
}

const BILLION = 1_000_000_000n
