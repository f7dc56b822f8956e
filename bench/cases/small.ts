import { writeSmallContexts } from '../contexts/small.ts'
import { type Samples, takeTurns } from '../measure/turns.ts'
import type { Case, Measuring } from './bench.ts'

/** Many small Dockerfiles, each built once: a figure for builds of every kind. */
export const SMALL_CASE: Case = {
  name: 'small',
  title: 'small Dockerfiles of 20 kinds in three sizes, each cold (median of all)',
  goal: { ofBuildKit: 0.6 },
  measure: measureSmall,
}

/** The storages stay: every Dockerfile is another one, so nothing that they have fits. */
async function measureSmall({ bench, builders, rounds }: Measuring): Promise<Samples> {
  const base = await bench.base('busybox')
  for (const builder of builders) await builder.reset([base])
  const all = new Map(builders.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round += 1) {
    const contexts = writeSmallContexts(bench.file('small'), { base: base.name, round })
    for (const context of contexts) {
      const participants = builders.map((builder) => ({
        name: builder.name,
        perform: () => builder.build(context),
      }))
      for (const [name, times] of await takeTurns(participants, 1)) all.get(name)?.push(...times)
    }
  }
  return all
}
