import { cacheSettingAbove, type Stage, type StageInstruction } from '#parser'
import type { CacheMarks } from '../vertices/vertex.ts'
import { isFilteredBy } from './cache-filter.ts'
import type { PlanOptions } from './stage-plan.ts'

/**
 * The marks of the step of an instruction: by the filters of the user, else by the comment above it.
 * Where all steps are executed, none need be marked.
 */
export function cacheMarks(
  instruction: StageInstruction,
  stage: Stage,
  fresh: PlanOptions['fresh'] = [],
): CacheMarks {
  if (fresh === 'all') return {}
  if (fresh.some((filter) => isFilteredBy(filter, stage, instruction))) return { fresh: 'filter' }
  const setting = cacheSettingAbove(instruction)
  if (setting === undefined) return {}
  return setting.kind === 'never' ? { fresh: 'comment' } : { maxAge: setting.milliseconds }
}

/** True when a process of the stage runs whether or not its result is known. */
export function isRunForCertain(stage: Stage, fresh: PlanOptions['fresh']): boolean {
  return stage.instructions.some((one) => {
    if (one.kind !== 'run') return false
    return fresh === 'all' || cacheMarks(one, stage, fresh).fresh !== undefined
  })
}
