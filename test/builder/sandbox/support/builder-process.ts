/**
 * A builder of its own for tests that look at it from outside or kill it. Takes a JSON document
 * `{ temporary, specs, exitOnOutput, killedOnOutput, notices, isStrict, refused, runtime }` as its argument, runs these steps,
 * copies their output, and exits like the last one, or in the middle of one. `notices` are written to standard
 * error, `refused` are system calls that fail, `runtime` is the name of one. An ordinary user becomes root of a
 * namespace first.
 */
import { writeSync } from 'node:fs'
import { reexecInUserNamespace } from '#builder/namespaces'
import { findRuntime, inProcessSandbox, run } from '#builder/sandbox'
import { refuseCalls } from '../../../suites/sandbox/refuse-calls.ts'

const {
  temporary,
  specs,
  exitOnOutput,
  killedOnOutput,
  notices,
  isStrict,
  refused = [],
  runtime,
} = JSON.parse(process.argv[2] ?? '')
if (refused.length > 0) refuseCalls(refused)
reexecInUserNamespace({ env: process.env })
await using sandbox = inProcessSandbox({
  temporary,
  isStrict,
  ...(runtime === undefined ? {} : { runtime: await findRuntime(runtime, process.env) }),
  onNotice: ({ message, hint }) =>
    notices === true && writeSync(2, `notice: ${message} (${hint})\n`),
})
for (const spec of specs) {
  const status = await run(sandbox, spec, {
    onOutput: (stream, data) => {
      writeSync(stream === 'stdout' ? 1 : 2, data)
      if (exitOnOutput) process.exit(7)
      if (killedOnOutput) process.kill(process.pid, 'SIGKILL')
    },
  })
  process.exitCode = status.exitCode
}
