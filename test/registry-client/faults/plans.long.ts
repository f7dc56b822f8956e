import { plansSuite } from './plans-suite.ts'

/** `TSBUILD_TEST_SEED=N` begins with that one. */
const FIRST = Number(process.env.TSBUILD_TEST_SEED ?? 1)

plansSuite(Array.from({ length: 500 }, (_, index) => FIRST + index))
