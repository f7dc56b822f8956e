import { runContext, writeContext } from '../contexts/dockerfile.ts'
import { timeProgram } from '../measure/program.ts'
import { median } from '../measure/statistics.ts'
import { takeTurns } from '../measure/turns.ts'
import type { Case, Measuring } from './bench.ts'
import { BARE_NODE } from './beside.ts'
import { caseOf, type Workload } from './workload.ts'

const STEPS = 40

const FOUR: Pick<Workload, 'bases' | 'context' | 'storage' | 'beside'> = {
  bases: ['local'],
  context: (directory, [base = '']) =>
    writeContext(
      directory,
      [
        `FROM ${base}`,
        'COPY file /file',
        'RUN echo 1 > /first',
        'RUN echo 2 > /second',
        'RUN cat /file > /third',
      ],
      { file: 'a file\n' },
    ),
  storage: 'build',
  beside: BARE_NODE,
}

const FORTY: Pick<Workload, 'bases' | 'context'> = {
  bases: ['busybox'],
  context: (directory, [base = '']) => runContext(directory, base, STEPS),
}

/** Small steps: what a build costs besides its work. */
export const STEP_CASES: readonly Case[] = [
  caseOf({
    ...FOUR,
    name: 'cached',
    title: '4 small steps on a local base, all cached',
    goal: { seconds: 0.1 },
  }),
  caseOf({
    ...FOUR,
    name: 'no-cache',
    title: '4 small steps on a local base, `--no-cache`',
    goal: { seconds: 0.25 },
    noCache: true,
  }),
  caseOf({
    ...FORTY,
    name: 'steps',
    title: `${STEPS} RUN steps, cold`,
    goal: { ofBuildKit: 1 / 6 },
    storage: 'bases',
  }),
  caseOf({
    ...FORTY,
    name: 'steps-isolated',
    title: `${STEPS} RUN steps, cold, isolated networks`,
    isIsolated: true,
    goal: { ofBuildKit: 1 / 3, and: { ofBuildah: 1 / 20 } },
    storage: 'bases',
  }),
  caseOf({
    ...FORTY,
    name: 'steps-cached',
    title: `${STEPS} RUN steps, all cached`,
    goal: { ofBuildKit: 0.5 },
    storage: 'build',
  }),
  {
    name: 'overhead',
    title: `overhead of a RUN: (${STEPS} steps − 1 step) / ${STEPS - 1} − the command alone`,
    goal: { ofBuildKit: 1 / 3 },
    measure: measureOverhead,
  },
]

/** What a RUN takes besides its command, from builds with one and with many. */
async function measureOverhead(measuring: Measuring): Promise<ReadonlyMap<string, number[]>> {
  const { bench, builders, rounds } = measuring
  const base = await bench.base('busybox')
  const timed = (steps: number) => {
    const context = runContext(bench.file(`overhead-${steps}`), base.name, steps)
    const participants = builders.map((builder) => ({
      name: builder.name,
      before: () => builder.reset([base]),
      perform: () => builder.build(context),
    }))
    return takeTurns(participants, rounds)
  }
  const [one, many] = [await timed(1), await timed(STEPS)]
  const command = ['sh', '-c', `echo 1 > ${bench.file('bare')}`]
  const bare = median(Array.from({ length: STEPS }, () => timeProgram('/bin/busybox', command)))
  return new Map(
    [...many].map(([name, times]) => {
      const first = one.get(name) ?? []
      const overhead = times.map((time, round) => (time - (first[round] ?? 0)) / (STEPS - 1) - bare)
      return [name, overhead]
    }),
  )
}
