import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory } from '../../test/support/peers/index.ts'
import { packProgram } from './pack-program.ts'
import { recordCode } from './recorded-code.ts'
import { writeExecutable } from './sea-executable.ts'

/**
 * Makes one executable file of Node, the program, and compiled code of the program, which the same file without
 * such code makes.
 */
export async function makeExecutable(path: string): Promise<void> {
  using directory = temporaryDirectory('executable')
  const { main, assets } = await packProgram(directory.path)
  const draft = directory.file('draft')
  writeExecutable(draft, { main, assets }, directory.path)
  const recorded = await recordCode(draft, directory.path)
  const kept = Object.entries(recorded).map(([name, file]) => [`${name}.kept`, file])
  mkdirSync(dirname(path), { recursive: true })
  const all = { ...assets, ...Object.fromEntries(kept) }
  writeExecutable(path, { main, assets: all }, directory.path)
}
