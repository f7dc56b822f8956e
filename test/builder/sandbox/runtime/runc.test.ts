import { findRuntime, inProcessSandbox } from '#builder/sandbox'
import { handleSuite } from '../../../suites/sandbox/handle.ts'
import { processSuite } from '../../../suites/sandbox/process.ts'

const runtime = await findRuntime('runc', process.env)
const open = (options: { readonly temporary: string }) => inProcessSandbox({ ...options, runtime })

// The rest of the suite is in runc.long.ts: each step takes a tenth of a second.
describe('sandbox: by runc, in short', () => {
  processSuite(open, { startsFirst: false, bearsAnyRoot: false })
  handleSuite(open)
})
