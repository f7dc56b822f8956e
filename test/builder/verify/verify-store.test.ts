import { verifySuite } from './verify-suite.ts'

describe('verifying a store', () => verifySuite('some'))
