/**
 * Loads a program of the bundle: `main.js` is made of this module, and the program is in `main.code.js` and
 * its neighbours. Compiling takes longer than most builds, so the compiled code of each file is kept, with all
 * functions that a run has used. See docs/adr/0033-code-cache.md.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { readCode, writeCode } from './code-file.ts'
import { bundleFolder, codeFolder, makeCodeFolder, removeOldFolders } from './code-folder.ts'

/** Where threads find the folder of compiled code: their own environment is empty. */
const FOLDER = Symbol.for('tsbuild.code-folder')

/** Instead of a folder: the files as they are, with source maps. */
const DEBUG = 'debug'

/** Milliseconds after which V8 may have dropped functions that only the start uses. */
const LONGEST_RUN = 20_000

/** A file of the program that was loaded. */
interface LoadedFile {
  readonly module: { exports: unknown }
  readonly script: Script
  /** The files of the runs whose functions its compiled code has; `undefined` where there was none. */
  readonly runs: ReadonlySet<string> | undefined
}

type Wrapper = (
  exports: unknown,
  require: (id: string) => unknown,
  module: { exports: unknown },
  filename: string,
  dirname: string,
) => void

const HEAD = '(function (exports, require, module, __filename, __dirname) {'
const TAIL = '\n})'

/**
 * Loads the program of a process.
 * @param loader absolute path of the file that stands for it
 * @param version hash of all files of the bundle
 */
export function loadProgram(loader: string, version: string): unknown {
  const folder = process.env.TSBUILD_DEBUG === '1' ? DEBUG : codeFolder(process.env)
  Reflect.set(globalThis, FOLDER, folder)
  return loadCode(loader, { folder, version })
}

/** Loads the program of a worker thread, which is started with the folder as its argument. */
export function loadThread(loader: string, version: string): unknown {
  return loadCode(loader, { folder: process.argv[2], version })
}

interface Place {
  readonly folder: string | undefined
  readonly version: string
}

function loadCode(loader: string, { folder, version }: Place): unknown {
  const entry = loader.replace(/js$/, 'code.js')
  const require = createRequire(loader)
  if (folder === DEBUG) process.setSourceMapsEnabled(true)
  if (folder === undefined || folder === DEBUG) return require(entry)
  return new KeptProgram(bundleFolder(folder, version), require).load(entry)
}

/** A program whose compiled code is kept in a folder. */
class KeptProgram {
  readonly #folder: string
  readonly #require: NodeJS.Require
  readonly #files = new Map<string, LoadedFile>()

  constructor(folder: string, require: NodeJS.Require) {
    this.#folder = folder
    this.#require = require
    process.once('exit', (code) => {
      if ((code ?? 0) === 0 && performance.now() < LONGEST_RUN) this.#keep()
    })
  }

  /** What a file of the program exports. */
  load(path: string): unknown {
    const known = this.#files.get(path)
    if (known !== undefined) return known.module.exports
    // The bundler writes ASCII, so that every character takes one byte in memory.
    const text = readFileSync(path, 'latin1')
    const kept = readCode(this.#pathOf(path), path)
    const script = new Script(HEAD + text + TAIL, { filename: path, cachedData: kept?.code })
    const runs = script.cachedDataRejected === false ? kept?.runs : undefined
    const module = { exports: {} }
    this.#files.set(path, { module, script, runs: runs && new Set(runs) })
    const folder = dirname(path)
    const require = (id: string): unknown => {
      return id.startsWith('./') ? this.load(join(folder, id)) : this.#require(id)
    }
    const wrapper: Wrapper = script.runInThisContext()
    wrapper(module.exports, require, module, path, folder)
    return module.exports
  }

  /**
   * Keeps the code of files that had none, or none of a run like this one. Nothing depends on it: a full disk
   * or a read-only home means that the next run compiles again.
   */
  #keep(): void {
    const names = [...this.#files.keys()].map((path) => basename(path))
    const stale = [...this.#files].filter(([, { runs }]) => names.some((name) => !runs?.has(name)))
    if (stale.length === 0) return
    try {
      if (!makeCodeFolder(this.#folder)) return
      for (const [path, { script, runs = [] }] of stale) {
        const code = script.createCachedData()
        writeCode(this.#pathOf(path), path, { code, runs: [...new Set([...runs, ...names])] })
      }
      removeOldFolders(dirname(this.#folder))
    } catch {
      // The next run tries again.
    }
  }

  #pathOf(path: string): string {
    return join(this.#folder, basename(path))
  }
}
