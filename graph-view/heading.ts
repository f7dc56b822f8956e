import type { GraphView } from './view.ts'

/** The number of stages, and how many of them the target needs. */
export function heading({ stages, target }: GraphView): string {
  const needed = stages.filter(({ isNeeded }) => isNeeded).length
  const count = stages.length === 1 ? '1 stage' : `${stages.length} stages`
  const part = needed === stages.length ? '' : `, ${needed} of them needed`
  return `${count}${part}, target ${stages[target]?.label}`
}
