import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addNote } from './elf-note.ts'

/** What Node finds itself to be with: the name of the note, and the text before a digit that says whether it is there. */
const NOTE = 'NODE_SEA_BLOB'
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:'

/** What an executable has besides Node. */
export interface Contents {
  /** Path of the script that is run. */
  readonly main: string
  /** Paths of files, by the names that the script finds their bytes under. */
  readonly assets: Readonly<Record<string, string>>
}

/**
 * Writes a copy of the running Node that runs a script of its own instead of one that it is given.
 * @param scratch a folder for what is written on the way
 */
export function writeExecutable(path: string, contents: Contents, scratch: string): void {
  const output = join(scratch, 'blob')
  const config = join(scratch, 'sea.json')
  const settings = { ...contents, output, disableExperimentalSEAWarning: true }
  writeFileSync(config, JSON.stringify(settings))
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'pipe' })
  const executable = addNote(readFileSync(process.execPath), NOTE, readFileSync(output))
  const fuse = executable.indexOf(FUSE)
  if (fuse < 0) throw new Error(`${process.execPath} cannot become another executable`)
  executable.write('1', fuse + FUSE.length)
  writeFileSync(path, executable, { mode: 0o755 })
}
