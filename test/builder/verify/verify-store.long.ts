import { verifySuite } from './verify-suite.ts'

describe('verifying a store, in every way', () => verifySuite('all'))
