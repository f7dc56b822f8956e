import type { Facts } from './facts.ts'
import { powerOf } from './power.ts'

/** `other`: neither more nor less. */
export type Direction = 'laxer' | 'stricter' | 'other'

/** One fact in which a step of ours is not like one of the witness. */
export interface Difference {
  readonly fact: string
  readonly direction: Direction
  readonly ours: string
  readonly theirs: string
}

/** Everything that matters and differs, by fact. */
export function compareFacts(ours: Facts, theirs: Facts): readonly Difference[] {
  const facts = [...new Set([...ours.keys(), ...theirs.keys()])].sort()
  return facts.flatMap((fact) => {
    const [mine, other] = [ours.get(fact), theirs.get(fact)]
    const direction = directionOf(fact, mine, other)
    if (direction === undefined) return []
    return [{ fact, direction, ours: mine ?? 'absent', theirs: other ?? 'absent' }]
  })
}

function directionOf(
  fact: string,
  ours: string | undefined,
  theirs: string | undefined,
): Direction | undefined {
  const [mine, other] = [powerOf(fact, ours), powerOf(fact, theirs)]
  if (mine === undefined || other === undefined || mine === other) return undefined
  if (typeof mine === 'string' || typeof other === 'string') return 'other'
  return mine > other ? 'laxer' : 'stricter'
}
