/**
 * A builder of its own for tests that look at it from outside or kill it. Takes a JSON document
 * `{ temporary, specs, exitOnOutput }` as its argument, runs these steps, copies their output and exits
 * like the last one, or in the middle of one. An ordinary user becomes root of a namespace first.
 */
import { writeSync } from 'node:fs'
import { inProcessSandbox, reexecInUserNamespace, run } from '#builder/sandbox'

reexecInUserNamespace({ env: process.env })
const { temporary, specs, exitOnOutput } = JSON.parse(process.argv[2] ?? '')
await using sandbox = inProcessSandbox({ temporary })
for (const spec of specs) {
  const status = await run(sandbox, spec, {
    onOutput: (stream, data) => {
      writeSync(stream === 'stdout' ? 1 : 2, data)
      if (exitOnOutput) process.exit(7)
    },
  })
  process.exitCode = status.exitCode
}
