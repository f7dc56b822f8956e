import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../../support/peers/index.ts'

/** Of the file system, far more than is written. */
const SIZE = '300m'

/**
 * A small file system with a store, whose content is kept beside it and brought back again and again. It is gone with
 * the mount namespace of the process.
 */
export class Disk {
  readonly path: string
  readonly #kept: string

  private constructor(directory: string) {
    this.path = join(directory, 'disk')
    this.#kept = join(directory, 'kept')
  }

  /** @param directory an existing one; the process has a mount namespace of its own */
  static async mount(directory: string): Promise<Disk> {
    const disk = new Disk(directory)
    mkdirSync(disk.path)
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'none', disk.path])
    return disk
  }

  get root(): string {
    return this.file('store')
  }

  file(name: string): string {
    return join(this.path, name)
  }

  clear(): void {
    for (const name of readdirSync(this.path)) rmSync(this.file(name), { recursive: true })
  }

  /** Keeps what is there now. */
  async keep(): Promise<void> {
    rmSync(this.#kept, { recursive: true, force: true })
    await run('cp', ['-a', this.path, this.#kept])
  }

  /** Brings back what was kept last. */
  async restore(): Promise<void> {
    this.clear()
    await run('cp', ['-a', `${this.#kept}/.`, this.path])
  }
}
