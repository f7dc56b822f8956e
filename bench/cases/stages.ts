import { writeContext } from '../contexts/dockerfile.ts'
import type { Case } from './bench.ts'
import { caseOf } from './workload.ts'

const STAGES = Array.from({ length: 8 }, (_, index) => index)

/** Stages that can be made at the same time. */
export const STAGE_CASES: readonly Case[] = [
  caseOf({
    name: 'sleep',
    title: `${STAGES.length} stages that each sleep a second`,
    goal: { seconds: 1.6 },
    bases: ['busybox'],
    context: (directory, [base = '']) =>
      writeContext(directory, [
        ...STAGES.flatMap((index) => [
          `FROM ${base} AS s${index}`,
          `RUN sleep 1 && echo ${index} > /${index}`,
        ]),
        `FROM ${base}`,
        ...STAGES.map((index) => `COPY --from=s${index} /${index} /${index}`),
      ]),
    storage: 'bases',
  }),
]
