import { fileRights } from '#builder/linux'
import type { FileStat, Name } from '#core'
import type { KeptAttributes } from './kept-attributes.ts'
import type { Owners } from './owners-beside.ts'

/** Which owners and modes files get, and which are kept beside instead. */
export class RightsOnDisk {
  readonly #isBeside: boolean
  readonly #kept: KeptAttributes | undefined

  constructor(owners: Owners, kept: KeptAttributes | undefined) {
    this.#isBeside = owners === 'beside'
    this.#kept = kept
  }

  /** The mode that a file gets: where modes bind this process, one with which it can use the file. */
  modeOnDisk({ type, mode }: FileStat): number {
    if (!this.#isBeside || fileRights().overridesModes) return mode
    return (mode & 0o777) | (type === 'directory' ? 0o700 : 0o600)
  }

  /** Keeps an owner and a mode that the file itself does not have. */
  keep(path: Name, stat: FileStat): void {
    if (!this.#isBeside) return
    const { type, uid, gid, mode, isOwnerPresumed } = stat
    if (uid !== 0 || gid !== 0) {
      const owner = isOwnerPresumed === true ? { uid, gid, isOwnerPresumed } : { uid, gid }
      this.#kept?.add(path, { owner })
    }
    if (type !== 'symlink' && this.modeOnDisk(stat) !== mode) this.#kept?.add(path, { mode })
  }
}
