import type { Base, Builder, BuildWish } from '../builders/builder.ts'
import type { Participant } from '../measure/turns.ts'
import { takeTurns } from '../measure/turns.ts'
import type { BaseName, Bench, Case } from './bench.ts'

/** What is timed by turns with the builders. */
export interface Beside {
  readonly name: string
  prepare(bench: Bench): Promise<Participant>
}

/** A context, and in which state of a builder's storage it is built. */
export interface Workload extends Omit<Case, 'beside' | 'measure'> {
  readonly bases: readonly BaseName[]
  /** Writes the context. @param bases names of the base images, in the order of `bases` */
  readonly context: (directory: string, bases: readonly string[]) => string
  /**
   * What the storage has before a build: `nothing`, only the `bases`, or the result of an earlier `build`,
   * which is made once, or before every build (`new build`).
   */
  readonly storage: 'nothing' | 'bases' | 'build' | 'new build'
  readonly noCache?: boolean
  /** Where the image goes: to a repository of its own in each turn, to the same one, or to an archive. */
  readonly sent?: 'new repository' | 'same repository' | 'archive'
  /** Whether the result of an earlier build was sent, too. */
  readonly isSentBefore?: boolean
  readonly compression?: BuildWish['compression']
  /** Changes the context before every build. */
  readonly change?: (directory: string, turn: number) => void
  readonly beside?: Beside
}

/** The case in which a workload is built by all builders in turn. */
export function caseOf(workload: Workload): Case {
  const { name, title, isIsolated = false, goal, beside } = workload
  return {
    name,
    title,
    isIsolated,
    ...(goal && { goal }),
    ...(beside && { beside: beside.name }),
    measure: async ({ bench, builders, rounds }) => {
      const bases = await Promise.all(workload.bases.map(bench.base))
      const context = workload.context(
        bench.file(name),
        bases.map((base) => base.name),
      )
      const others = beside === undefined ? [] : [await beside.prepare(bench)]
      if (workload.storage === 'build') {
        for (const builder of builders) {
          await buildOnce(builder, bases, context)
          if (workload.isSentBefore) await builder.build(context, wishOf(workload, bench, 0))
        }
      }
      const participants = builders.map((builder) =>
        participant(builder, { workload, bench, bases, context }),
      )
      return takeTurns([...participants, ...others], rounds)
    },
  }
}

interface Prepared {
  readonly workload: Workload
  readonly bench: Bench
  readonly bases: readonly Base[]
  readonly context: string
}

function participant(builder: Builder, { workload, bench, bases, context }: Prepared): Participant {
  const { storage, change } = workload
  const [base] = bases
  let wish: BuildWish = {}
  return {
    name: builder.name,
    before: async (turn) => {
      if (storage === 'nothing') await builder.reset([])
      if (storage === 'bases') await builder.reset(bases)
      if (storage === 'new build') await buildOnce(builder, bases, context)
      change?.(context, turn)
      wish = {
        ...wishOf(workload, bench, turn),
        ...(storage === 'nothing' && base !== undefined ? { pulled: base.name } : {}),
      }
    },
    perform: () => builder.build(context, wish),
  }
}

/** Every case has repositories of its own: what one has sent another would find there. */
function wishOf(
  { name, noCache = false, sent, compression }: Workload,
  bench: Bench,
  turn: number,
): BuildWish {
  const packed = compression === undefined ? {} : { compression }
  const repository = `${bench.registry}/${name}/${sent === 'same repository' ? 'same' : turn}`
  if (sent === undefined) return { noCache }
  if (sent === 'archive') return { noCache, archive: bench.file(`${name}.tar`), ...packed }
  return { noCache, pushed: `${repository}:latest`, ...packed }
}

async function buildOnce(builder: Builder, bases: readonly Base[], context: string): Promise<void> {
  await builder.reset(bases)
  await builder.build(context)
}
