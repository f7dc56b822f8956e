/**
 * A builder of its own for tests that look at it from outside or kill it. Takes a JSON document
 * `{ temporary, specs, exitOnOutput, notices }` as its argument, runs these steps, copies their output,
 * writes notices as lines of standard error if asked to, and exits like the last step, or in the middle of one. An ordinary user becomes root of a namespace first.
 */
import { writeSync } from 'node:fs'
import { reexecInUserNamespace } from '#builder/namespaces'
import { inProcessSandbox, run } from '#builder/sandbox'

reexecInUserNamespace({ env: process.env })
const { temporary, specs, exitOnOutput, notices } = JSON.parse(process.argv[2] ?? '')
await using sandbox = inProcessSandbox({
  temporary,
  onNotice: ({ message }) => notices === true && writeSync(2, `notice: ${message}\n`),
})
for (const spec of specs) {
  const status = await run(sandbox, spec, {
    onOutput: (stream, data) => {
      writeSync(stream === 'stdout' ? 1 : 2, data)
      if (exitOnOutput) process.exit(7)
    },
  })
  process.exitCode = status.exitCode
}
