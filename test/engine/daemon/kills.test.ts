import { killsSuite } from './kills-suite.ts'

killsSuite(Array.from({ length: 8 }, (_, index) => index + 1))
