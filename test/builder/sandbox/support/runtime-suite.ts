import { findRuntime, inProcessSandbox } from '#builder/sandbox'
import { sandboxSuite } from '../../../suites/sandbox.ts'

/** The suite of sandboxes, with a runtime that starts the steps. */
export async function runtimeSuite(name: string): Promise<void> {
  const runtime = await findRuntime(name, process.env)
  sandboxSuite(`by ${name}`, (options) => inProcessSandbox({ ...options, runtime }), {
    startsFirst: false,
    startsOthers: true,
    bearsAnyRoot: false,
    startsContainers: false,
  })
}
