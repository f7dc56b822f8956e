import { inProcessSandbox } from '#builder/sandbox'
import { sandboxSuite } from '../../../suites/sandbox.ts'

sandboxSuite('in this process', inProcessSandbox)
