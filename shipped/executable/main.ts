/**
 * `npm run build:exe -- --output FILE`: makes one executable file that needs no Node beside it. By default, it
 * is `dist/exe/tsbuild`.
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { REPOSITORY } from '../image/published.ts'
import { makeExecutable } from './make-executable.ts'

const { output } = parseArgs({ options: { output: { type: 'string', short: 'o' } } }).values
// Paths are those of the caller of npm.
const path =
  output === undefined
    ? join(REPOSITORY, 'dist/exe/tsbuild')
    : resolve(process.env.INIT_CWD ?? '.', output)
await makeExecutable(path)
console.log(path)
