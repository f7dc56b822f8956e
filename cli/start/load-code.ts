/**
 * Loads a program of the bundle: `main.js` is made of this module, and the program is in `main.code.js` and
 * its neighbours. Compiling takes longer than most builds, so the compiled code of each file is kept, with all
 * functions that a run has used. See docs/adr/0033-code-cache.md.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setProgramLoader } from '#core'
import { bundleFolder, codeFolder } from './code-folder.ts'
import { KeptProgram } from './kept-program.ts'

/** Instead of a folder: the files as they are, with source maps. */
const DEBUG = 'debug'

/**
 * Loads the program of a process.
 * @param loader absolute path of the file that stands for it
 * @param version hash of all files of the bundle
 */
export function loadProgram(loader: string, version: string): unknown {
  const folder = process.env.TSBUILD_DEBUG === '1' ? DEBUG : codeFolder(process.env)
  const argv = folder === undefined ? [] : [folder]
  setProgramLoader({ threadStart: (script) => ({ script, argv }) })
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
  const files = { read: (path: string) => readFileSync(path, 'latin1'), require }
  return new KeptProgram(files, bundleFolder(folder, version)).load(entry)
}
