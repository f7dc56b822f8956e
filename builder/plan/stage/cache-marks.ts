import { cacheSettingAbove, type Stage, type StageInstruction } from '#parser'
import type { CacheMarks } from '../vertices/vertex.ts'
import { isFilteredBy } from './cache-filter.ts'
import type { PlanOptions } from './stage-plan.ts'

/** The marks of the step of an instruction: by what the user asks for, else by the comment above it. */
export function cacheMarks(
  instruction: StageInstruction,
  stage: Stage,
  fresh: PlanOptions['fresh'] = [],
): CacheMarks {
  if (fresh === 'all' || fresh.some((filter) => isFilteredBy(filter, stage, instruction))) {
    return { fresh: 'flag' }
  }
  const setting = cacheSettingAbove(instruction)
  if (setting === undefined) return {}
  return setting.kind === 'never' ? { fresh: 'comment' } : { maxAge: setting.milliseconds }
}

/** True when a process of the stage runs whether or not its result is known. */
export function isRunForCertain(stage: Stage, fresh: PlanOptions['fresh']): boolean {
  return stage.instructions.some((one) => {
    return one.kind === 'run' && cacheMarks(one, stage, fresh).fresh !== undefined
  })
}
