import { damagedSuite } from './damaged-suite.ts'

describe('a damaged store', () => damagedSuite('some'))
