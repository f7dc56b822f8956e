import { APPLICATION_CASES } from './application.ts'
import type { Case } from './bench.ts'
import { FILE_CASES } from './files.ts'
import { SMALL_CASE } from './small.ts'
import { STAGE_CASES } from './stages.ts'
import { STEP_CASES } from './steps.ts'

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [
  SMALL_CASE,
  ...APPLICATION_CASES,
  ...STEP_CASES,
  ...STAGE_CASES,
  ...FILE_CASES,
]
