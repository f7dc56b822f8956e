import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlacedRoot } from '#builder/snapshot'
import { shownFiles } from './shown-files.ts'

/** An empty directory for a placed root, and a place for layers, for one test. */
export class FreshRoot {
  readonly home: string = mkdtempSync(join(tmpdir(), 'tsbuild-placed-'))
  readonly root: string = join(this.home, 'root')
  #count = 0

  constructor() {
    mkdirSync(this.root)
  }

  /** A layer with these files; a name that ends with a slash is a directory. */
  layer(files: Readonly<Record<string, string>>): string {
    const directory = this.fresh('layer')
    mkdirSync(directory)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, name.endsWith('/') ? '' : '..'), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(join(directory, name), text)
    }
    return directory
  }

  /** A path at which nothing is. */
  fresh(name: string): string {
    this.#count += 1
    return join(this.home, `${name}${this.#count}`)
  }

  /** What a new root shows of a stack. */
  freshly(stack: readonly string[]): string[] {
    const directory = this.fresh('shown')
    mkdirSync(directory)
    new PlacedRoot(directory).place(stack)
    return shownFiles(directory)
  }

  /** The names of what was changed. */
  collected(placed: PlacedRoot): string[] {
    const upper = this.fresh('upper')
    placed.collect(upper)
    return namesBelow(upper)
  }

  /** What a program prints (JSON) that runs in a mount namespace of its own. */
  inNamespace<T>(what: string): T {
    const script = new URL('./mounted-roots.js', import.meta.url).pathname
    rmSync(this.root, { recursive: true })
    const args = ['-m', process.execPath, script, what, this.home]
    return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** Paths of everything below a directory. */
export function namesBelow(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).sort()
}
