import { execSuite } from './sandbox/exec.ts'
import { EVERYTHING, type OpenSandbox, type SandboxTraits } from './sandbox/fixture.ts'
import { handleSuite } from './sandbox/handle.ts'
import { inheritanceSuite } from './sandbox/inheritance.ts'
import { isolationSuite } from './sandbox/isolation.ts'
import { lifetimeSuite } from './sandbox/lifetime.ts'
import { limitsSuite } from './sandbox/limits.ts'
import { mountsSuite } from './sandbox/mounts.ts'
import { networkSuite } from './sandbox/network.ts'
import { noContainersSuite } from './sandbox/no-containers.ts'
import { pidOneSuite } from './sandbox/pid-one.ts'
import { processSuite } from './sandbox/process.ts'
import { rightsSuite } from './sandbox/rights.ts'
import { rootFilesSuite } from './sandbox/root-files.ts'
import { terminalSuite } from './sandbox/terminal.ts'
import { usersSuite } from './sandbox/users.ts'

/** What every sandbox must do. Each implementation's test file calls this once. @param traits what it leaves out */
export function sandboxSuite(
  name: string,
  open: OpenSandbox,
  traits: SandboxTraits = EVERYTHING,
): void {
  describe(`sandbox: ${name}`, () => {
    processSuite(open, traits)
    handleSuite(open)
    if (traits.startsOthers) execSuite(open, traits)
    terminalSuite(open, traits)
    if (traits.startsFirst) pidOneSuite(open)
    if (!traits.startsContainers) noContainersSuite(open)
    lifetimeSuite(open)
    usersSuite(open, traits)
    rightsSuite(open)
    isolationSuite(open)
    inheritanceSuite(open, traits)
    limitsSuite(open)
    networkSuite(open)
    rootFilesSuite(open)
    mountsSuite(open, traits)
  })
}
