import { damagedSuite } from './damaged-suite.ts'

describe('a damaged store, in every way', () => damagedSuite('all'))
