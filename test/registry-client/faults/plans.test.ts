import { plansSuite } from './plans-suite.ts'

plansSuite(Array.from({ length: 25 }, (_, index) => index + 1))
