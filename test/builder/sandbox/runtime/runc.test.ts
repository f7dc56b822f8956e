import { findRuntime, inProcessSandbox } from '#builder/sandbox'
import { execSuite } from '../../../suites/sandbox/exec.ts'
import { handleSuite } from '../../../suites/sandbox/handle.ts'
import { noContainersSuite } from '../../../suites/sandbox/no-containers.ts'
import { processSuite } from '../../../suites/sandbox/process.ts'
import { terminalSuite } from '../../../suites/sandbox/terminal.ts'

const runtime = await findRuntime('runc', process.env)
const open = (options: { readonly temporary: string }) => inProcessSandbox({ ...options, runtime })

// The rest of the suite is in runtimes.long.ts: each step takes a tenth of a second.
describe('sandbox: by runc, in short', () => {
  const traits = {
    ...{ startsFirst: false, startsOthers: true },
    ...{ bearsAnyRoot: false, startsContainers: false },
  }
  processSuite(open, traits)
  handleSuite(open)
  execSuite(open, traits)
  terminalSuite(open, traits)
  noContainersSuite(open)
})
