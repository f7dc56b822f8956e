import { inProcessSandbox } from '#builder/sandbox'
import { containerSuite } from '../../../suites/container.ts'

containerSuite('in this process', inProcessSandbox)
