/** `npm run build:exe -- --output FILE`: makes one executable file that needs no Node beside it. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeExecutable } from './make-executable.ts'

const { values } = parseArgs({ options: { output: { type: 'string', short: 'o' } } })
// Paths are those of the caller of npm.
const path = resolve(process.env.INIT_CWD ?? '.', values.output ?? 'dist/tsbuild')
await makeExecutable(path)
console.log(path)
