import { detachMount, MS, mount, mountPoints } from '#builder/linux'
import { TsbuildError, textOfName, unnamedReason } from '#core'
import type { TmpfsSettings } from './options/tmpfs-options.ts'

/**
 * Volumes in memory are mounted on their folders while containers see them, so that all see the same files. Docker
 * does so as well; where this process has a mount namespace of its own, the host does not see them.
 */
export class MemoryVolumes {
  /** How many containers see a volume, by its folder. */
  readonly #users = new Map<string, number>()

  /** Mounts it, unless it is. @throws {TsbuildError} IO_FAILED in docker's words */
  hold(folder: string, settings: TmpfsSettings): Disposable {
    const users = this.#users.get(folder) ?? 0
    if (users === 0) mountMemory(folder, settings)
    this.#users.set(folder, users + 1)
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#release(folder)
        isHeld = false
      },
    }
  }

  /** Unmounts what a process has left below a folder that was killed. */
  static clear(folder: string): void {
    const left = mountPoints().map(textOfName)
    for (const path of left.toReversed()) if (path.startsWith(`${folder}/`)) detachMount(path)
  }

  #release(folder: string): void {
    const users = (this.#users.get(folder) ?? 1) - 1
    if (users > 0) {
      this.#users.set(folder, users)
      return
    }
    this.#users.delete(folder)
    detachMount(folder)
  }
}

function mountMemory(folder: string, settings: TmpfsSettings): void {
  const { readonly, mode, uid, gid, forbids = [], options = [] } = settings
  const numbers = [
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
  ]
  const data = [...options, ...numbers].join(',')
  const flags = forbids.reduce((sum, what) => sum | FLAGS[what], readonly === true ? MS.RDONLY : 0)
  try {
    mount(folder, { type: 'tmpfs', flags, ...(data === '' ? {} : { data }) })
  } catch (cause) {
    const reason = unnamedReason(cause) ?? (cause instanceof Error ? cause.message : '')
    const doing = `error while mounting volume '${folder}': failed to mount local volume`
    throw new TsbuildError(`${doing}: mount tmpfs:${folder}, data: ${data}: ${reason}`, {
      code: 'IO_FAILED',
      cause,
    })
  }
}

const FLAGS = { exec: MS.NOEXEC, suid: MS.NOSUID, dev: MS.NODEV } as const
