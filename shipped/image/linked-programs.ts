import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { run } from '../../test/support/peers/index.ts'

/** Where programs find their libraries in the image. */
const LIBRARIES = '/tsbuild/lib'

/**
 * Copies programs with the libraries that they need, so that they find these below /tsbuild and look for
 * none elsewhere, whatever the rest of the root holds.
 */
export class LinkedPrograms {
  readonly #root: string
  readonly #target: string
  readonly #folders: readonly string[]
  readonly #copied = new Set<string>()
  /** Absolute paths in the root of what was copied. */
  readonly used: string[] = []

  /**
   * @param root of the system that has the libraries
   * @param target root of the image
   */
  constructor(root: string, target: string) {
    this.#root = root
    this.#target = target
    const triplet = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as 'x64' | 'arm64']
    this.#folders = ['/lib', '/usr/lib'].map((folder) => `${folder}/${triplet}-linux-gnu`)
  }

  /**
   * Copies a program, and the libraries that were not needed before.
   * @param from the program, on this machine
   * @param to absolute path in the image
   */
  async add(from: string, to: string): Promise<void> {
    const program = join(this.#target, to)
    mkdirSync(dirname(program), { recursive: true })
    copyFileSync(from, program)
    chmodSync(program, 0o755)
    const loader = basename(await printed('--print-interpreter', program))
    const place = join(LIBRARIES, loader)
    await run('patchelf', [
      '--set-interpreter',
      place,
      '--force-rpath',
      '--set-rpath',
      LIBRARIES,
      program,
    ])
    await this.#addNeeded(program)
    await this.#addLibrary(loader)
  }

  async #addNeeded(file: string): Promise<void> {
    const names = (await printed('--print-needed', file)).split('\n').filter(Boolean)
    for (const name of names) await this.#addLibrary(name)
  }

  async #addLibrary(name: string): Promise<void> {
    if (this.#copied.has(name)) return
    this.#copied.add(name)
    const found = this.#folders.map((folder) => join(this.#root, folder, name)).find(existsSync)
    if (found === undefined) throw new Error(`there is no library ${name}`)
    const file = realpathSync(found)
    this.used.push(file.slice(this.#root.length))
    const to = join(this.#target, LIBRARIES, name)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, isolated(readFileSync(file)), { mode: 0o755 })
    await this.#addNeeded(to)
  }
}

async function printed(option: string, file: string): Promise<string> {
  return (await run('patchelf', [option, file])).stdout.trim()
}

/**
 * Files that the loader and the C library read, and what they read instead, in as many letters: what
 * another image has there is about other libraries. Of the latter only `nssw.conf` exists.
 */
const READ: readonly (readonly [string, string])[] = [
  ['/etc/ld.so.cache', '/tsbuild/nocache'],
  ['/etc/ld.so.preload', '/tsbuild/nopreload'],
  ['/etc/nsswitch.conf', '/tsbuild/nssw.conf'],
]

function isolated(library: Buffer): Buffer {
  for (const [path, other] of READ) {
    for (let at = library.indexOf(`${path}\0`); at >= 0; at = library.indexOf(`${path}\0`)) {
      library.write(other, at)
    }
  }
  return library
}
