/** The part of `npm run lint` that looks at folders. */
import { fileURLToPath } from 'node:url'
import { folderFaults } from './folders.ts'

const faults = folderFaults(fileURLToPath(new URL('../..', import.meta.url)))
for (const fault of faults) process.stderr.write(`${fault}\n`)
if (faults.length > 0) process.exitCode = 1
