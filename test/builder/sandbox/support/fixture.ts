import { inProcessSandbox } from '#builder/sandbox'
import { SandboxFixture } from '../../../suites/sandbox/fixture.ts'

/** A fixture with a sandbox of this process. */
export function inProcessFixture(): SandboxFixture {
  return new SandboxFixture(inProcessSandbox)
}
