import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { type CompiledCode, readCode, writeCode } from './code-file.ts'
import { makeCodeFolder, removeOldFolders } from './code-folder.ts'

/** Milliseconds after which V8 may have dropped functions that only the start uses. */
const LONGEST_RUN = 20_000

/** Where the files of a program are; a path is absolute. */
export interface ProgramFiles {
  /** The text of a file, all ASCII. */
  readonly read: (path: string) => string
  /** The compiled code that came with a file. */
  readonly readCode?: (path: string) => CompiledCode | undefined
  /** Gives what is not a file of the program: a part of Node, or a package. */
  readonly require: (id: string) => unknown
}

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

/** A program whose compiled code is kept in a folder. */
export class KeptProgram {
  readonly #program: ProgramFiles
  readonly #folder: string | undefined
  readonly #files = new Map<string, LoadedFile>()

  /** @param folder for the code of this bundle; without one, none is kept */
  constructor(program: ProgramFiles, folder: string | undefined) {
    this.#program = program
    this.#folder = folder
    if (folder === undefined) return
    process.once('exit', (code) => {
      if ((code ?? 0) === 0 && performance.now() < LONGEST_RUN) this.#keep(folder)
    })
  }

  /** What a file of the program exports. */
  load(path: string): unknown {
    const known = this.#files.get(path)
    if (known !== undefined) return known.module.exports
    // The bundler writes ASCII, so that every character takes one byte in memory.
    const text = this.#program.read(path)
    const kept = this.#readCode(path)
    const script = new Script(HEAD + text + TAIL, { filename: path, cachedData: kept?.code })
    const runs = script.cachedDataRejected === false ? kept?.runs : undefined
    const module = { exports: {} }
    this.#files.set(path, { module, script, runs: runs && new Set(runs) })
    const folder = dirname(path)
    const require = (id: string): unknown => {
      return id.startsWith('./') ? this.load(join(folder, id)) : this.#program.require(id)
    }
    const wrapper: Wrapper = script.runInThisContext()
    wrapper(module.exports, require, module, path, folder)
    return module.exports
  }

  /** What a run here has kept is of functions, or for flags, that what came with the program lacks. */
  #readCode(path: string): CompiledCode | undefined {
    const kept = this.#folder && readCode(pathIn(this.#folder, path), path)
    return kept || this.#program.readCode?.(path)
  }

  /**
   * Keeps the code of files that had none, or none of a run like this one. Nothing depends on it: a full disk
   * or a read-only home means that the next run compiles again.
   */
  #keep(kept: string): void {
    const names = [...this.#files.keys()].map((path) => basename(path))
    const stale = [...this.#files].filter(([, { runs }]) => names.some((name) => !runs?.has(name)))
    if (stale.length === 0) return
    try {
      if (!makeCodeFolder(kept)) return
      for (const [path, { script, runs = [] }] of stale) {
        const code = script.createCachedData()
        writeCode(pathIn(kept, path), path, { code, runs: [...new Set([...runs, ...names])] })
      }
      removeOldFolders(dirname(kept))
    } catch {
      // The next run tries again.
    }
  }
}

function pathIn(folder: string, path: string): string {
  return join(folder, basename(path))
}
