/**
 * Loads the program from the one executable file that has Node in it, too: the files of the bundle are assets
 * of that file, and so is what was kept of their compiled code. See docs/adr/0041-one-executable.md.
 */
import { basename } from 'node:path'
import { getRawAsset } from 'node:sea'
import { setProgramLoader } from '#core'
import { writeAddon } from './addon-file.ts'
import { type CompiledCode, checkCode } from './code-file.ts'
import { bundleFolder, codeFolder } from './code-folder.ts'
import { KeptProgram } from './kept-program.ts'

/** The folder of the files. Nothing else lies below this path, and what it names is the executable. */
const FOLDER = '/proc/self/exe'
const PROGRAM = `${FOLDER}/main.code.js`

/** The native library of a package, which is all of it that is used, and the names that it is asked for by. */
const ADDON = 'koffi.node'
const KOFFI = /^koffi$|\/koffi\.node$/

/** Where the files of a program find what is not in the executable. */
interface Surroundings {
  /** For compiled code; empty where none is kept. */
  readonly folder: string
  /** The path of the native library, which is in a file only once it is needed. */
  readonly addon: () => string
}

/** What a thread is started with. */
interface ThreadArguments {
  readonly path: string
  readonly folder: string
  readonly addon: string
}

/** Runs the program of the process. @param version hash of all files of the bundle */
export function runExecutable(version: string): void {
  // Node's default for this signal is to open a debugger port.
  process.on('SIGUSR1', () => undefined)
  // In front of the arguments Node has a name of its own. A process that starts itself again, as Node with a
  // program, passes that program on.
  process.argv.splice(1, process.argv[2] === PROGRAM ? 2 : 1, PROGRAM)
  let path: string | undefined
  const addon = (): string => {
    path ??= writeAddon({ name: ADDON, bytes: bytesOf(ADDON) }, process.env)
    return path
  }
  const folder = codeFolder(process.env) ?? ''
  const { main } = load(PROGRAM, version, { folder, addon }) as typeof import('../main.ts')
  main(process.argv.slice(2))
}

/** Runs the program of a worker thread. */
export function runThread(version: string): void {
  const { path, folder, addon }: ThreadArguments = JSON.parse(process.argv[2] ?? '')
  load(path, version, { folder, addon: () => addon })
}

function load(path: string, version: string, { folder, addon }: Surroundings): unknown {
  const kept = folder === '' ? undefined : bundleFolder(folder, version)
  const require = (id: string): unknown => {
    const part = process.getBuiltinModule(id)
    if (part !== undefined) return part
    return KOFFI.test(id) ? loadAddon(addon()) : program.load(`${FOLDER}/${id}.code.js`)
  }
  const program = new KeptProgram({ read, readCode, require }, kept)
  setProgramLoader({
    threadStart: (script) => {
      const name = basename(script.pathname, '.js')
      const args: ThreadArguments = { path: `${FOLDER}/${name}.code.js`, folder, addon: addon() }
      return { script: textOf('thread.js'), argv: [JSON.stringify(args)], eval: true }
    },
    require,
  })
  return program.load(path)
}

function read(path: string): string {
  return textOf(basename(path))
}

/** The code that was kept when the executable was made; files that no run loaded then have none. */
function readCode(path: string): CompiledCode | undefined {
  try {
    const code = bytesOf(`${basename(path)}.kept`)
    // Memory that begins at a word.
    const bytes = Buffer.allocUnsafeSlow(code.length)
    bytes.set(code)
    return checkCode(bytes, path)
  } catch {
    return undefined
  }
}

function textOf(asset: string): string {
  return bytesOf(asset).toString('latin1')
}

/** As they are in the executable: not to be written to. */
function bytesOf(asset: string): Buffer {
  return Buffer.from(getRawAsset(asset))
}

function loadAddon(path: string): unknown {
  const module = { exports: {} }
  process.dlopen(module, path)
  return module.exports
}
