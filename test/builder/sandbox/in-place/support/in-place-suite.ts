import { EVERYTHING } from '../../../../suites/sandbox/fixture.ts'
import { sandboxSuite } from '../../../../suites/sandbox.ts'
import { placingSandbox } from './placing-sandbox.ts'

sandboxSuite('in place', placingSandbox, {
  ...EVERYTHING,
  startsOthers: false,
  startsContainers: false,
})
