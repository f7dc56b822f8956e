import { devicesSuite } from './container/devices.ts'
import { handleSuite } from './container/handle.ts'
import { mountsSuite } from './container/mounts.ts'
import { namespacesSuite } from './container/namespaces.ts'
import { rightsSuite } from './container/rights.ts'
import { rootSuite } from './container/root.ts'
import type { OpenSandbox } from './sandbox/fixture.ts'

/** What every sandbox that has containers must do, beyond steps. Each implementation's test file calls this once. */
export function containerSuite(name: string, open: OpenSandbox): void {
  describe(`containers: ${name}`, () => {
    handleSuite(open)
    rightsSuite(open)
    rootSuite(open)
    mountsSuite(open)
    devicesSuite(open)
    namespacesSuite(open)
  })
}
