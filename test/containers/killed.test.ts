import { killedSuite } from './killed.ts'

describe('a container that is killed at some moments of a build', () => killedSuite(2))
