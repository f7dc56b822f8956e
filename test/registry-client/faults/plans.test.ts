import { plansSuite } from './plans-suite.ts'

plansSuite(Array.from({ length: 40 }, (_, index) => index + 1))
