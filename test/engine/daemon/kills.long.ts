import { killsSuite } from './kills-suite.ts'

killsSuite(Array.from({ length: 40 }, (_, index) => index + 101))
