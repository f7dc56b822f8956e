import { join } from 'node:path'
import type { StatusCase } from './cases.ts'
import { executedSteps, type ShownVertex, vertexFacts } from './vertex-facts.ts'

const FACTS = join(import.meta.dirname, '../../../../../fixtures/buildkit/status')

/** What is said of one build, and of the same build again. */
export type Rounds = readonly [Iterable<ShownVertex>, Iterable<ShownVertex>]

/** What buildkitd has said of a case. */
export function factsFile(name: string): string {
  return join(FACTS, `${name}.txt`)
}

/** What was said, without what depends on the machine. */
export function described(
  rounds: Rounds,
  host: string,
  { isParallel = false }: Pick<StatusCase, 'isParallel'>,
): string {
  const [first = [], second = []] = rounds.map((vertices) =>
    [...vertices].map((vertex) => {
      const name = vertex.name.replace(/^\[linux\/\w+ (?!\d)/, '[PLATFORM ')
      return isParallel ? { ...vertex, name } : vertex
    }),
  )
  const executed = executedSteps(first).map((name) => name.replaceAll(host, 'HOST'))
  const lines = [
    ...vertexFacts(first, host),
    '',
    isParallel ? 'executed:' : 'executed in this order:',
    ...(isParallel ? executed.toSorted() : executed),
    '',
    'again:',
    ...vertexFacts(second, host),
  ]
  return `${lines.join('\n')}\n`
}
