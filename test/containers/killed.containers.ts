import { killedSuite } from './killed.ts'

describe('a container that is killed at many moments of a build', () => killedSuite(60))
