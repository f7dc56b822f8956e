import { cacheSettingAbove, type StageInstruction } from '#parser'
import type { CacheMarks } from '../vertices/vertex.ts'
import { isFilteredBy } from './cache-filter.ts'
import type { StagePlan } from './stage-plan.ts'

/**
 * The marks of the step of an instruction: by the filters of the user, else by the comment above it.
 * Where all steps are executed, none need be marked.
 */
export function cacheMarks(
  instruction: StageInstruction,
  { linked, options }: Pick<StagePlan, 'linked' | 'options'>,
): CacheMarks {
  const { fresh = [] } = options
  if (fresh === 'all') return {}
  if (fresh.some((filter) => isFilteredBy(filter, linked.stage, instruction))) {
    return { fresh: 'filter' }
  }
  const setting = cacheSettingAbove(instruction)
  if (setting === undefined) return {}
  return setting.kind === 'never' ? { fresh: 'comment' } : { maxAge: setting.milliseconds }
}
