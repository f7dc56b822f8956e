import { deepStacksSuite } from './deep-stacks.ts'

describe('build: stacks of up to 1000 layers', () => deepStacksSuite([500, 551, 1000]))
