/**
 * A builder of its own for tests that look at it from outside or kill it. Takes a JSON document
 * `{ temporary, spec, exitOnOutput }` as its argument, runs that step, copies its output and exits like
 * it, or in the middle of it.
 */
import { writeSync } from 'node:fs'
import { inProcessSandbox } from '#builder/sandbox'

const { temporary, spec, exitOnOutput } = JSON.parse(process.argv[2] ?? '')
await using sandbox = inProcessSandbox({ temporary })
const status = await sandbox.run(spec, {
  onOutput: (stream, data) => {
    writeSync(stream === 'stdout' ? 1 : 2, data)
    if (exitOnOutput) process.exit(7)
  },
})
process.exitCode = status.exitCode
