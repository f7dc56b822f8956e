import { chmodSync, copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { capture } from '../support/peers/index.ts'

/** Becomes `$@` in the root `$0`, in namespaces that were made for it. */
const ENTER = `
set -e
mount --rbind "$0" "$0"
mount --rbind /dev "$0/dev"
mount --rbind /sys "$0/sys"
mount -t proc none "$0/proc"
cd "$0"
pivot_root . old
exec /busybox sh -c 'cd /; /busybox umount -l /old; exec "$@"' sh "$@"
`

/** A root file system with an executable, the libraries that it needs, and no other program but what enters it. */
export class BareRoot {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Makes it in a new folder. @param programs of this machine, by their paths in the root */
  static async make(path: string, programs: Readonly<Record<string, string>>): Promise<BareRoot> {
    for (const name of ['dev', 'proc', 'sys', 'old', 'root', 'home', 'tmp']) {
      mkdirSync(join(path, name), { recursive: true })
    }
    for (const name of ['home', 'tmp']) chmodSync(join(path, name), 0o1777)
    for (const [to, from] of Object.entries(programs)) {
      // It fails for what needs none.
      const { stdout } = await capture('ldd', [from])
      const libraries = stdout.match(/\/\S+(?= \()/g) ?? []
      for (const library of libraries) copy(library, join(path, library))
      copy(from, join(path, to))
    }
    return new BareRoot(path)
  }

  /** Words in front of a command that run it there. Needs root. */
  get prefix(): readonly string[] {
    const kinds = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child']
    return ['unshare', ...kinds, 'sh', '-c', ENTER, this.path]
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}
