/** Which steps `--no-cache-filter STAGE[:INSTRUCTION]` is about, and what it names in vain. */
import { suggestion, TsbuildError } from '#core'
import type { Stage, StageInstruction } from '#parser'
import { isStep } from './step-names.ts'

/** The steps that one filter names. Both patterns are in lower case: `*` and `?` are special. */
export interface CacheFilter {
  /** As the user wrote it. */
  readonly text: string
  /** The name of a stage, or its number. */
  readonly stage: string
  /** A keyword, or an instruction with its arguments; `undefined`: all steps. */
  readonly instruction: string | undefined
}

/** As many names as a warning has room for. */
const MOST_NAMES = 12

/**
 * Reads `STAGE[:INSTRUCTION]`; nothing before the colon stands for all stages.
 * @throws {TsbuildError} USAGE
 */
export function parseCacheFilter(text: string): CacheFilter {
  const colon = text.indexOf(':')
  const stage = normal(colon < 0 ? text : text.slice(0, colon))
  const instruction = colon < 0 ? undefined : normal(text.slice(colon + 1))
  if (instruction === '' || (instruction === undefined && stage === '')) {
    throw new TsbuildError(`invalid filter ${JSON.stringify(text)} of steps without the cache`, {
      code: 'USAGE',
      hint: 'write STAGE, STAGE:RUN or STAGE:"RUN apt-get*"; without STAGE it is for all of them',
    })
  }
  return { text, stage: stage === '' ? '*' : stage, instruction }
}

/** True for an instruction of a stage that a filter names. */
export function isFilteredBy(
  filter: CacheFilter,
  stage: Stage,
  instruction: StageInstruction,
): boolean {
  return isStageOf(filter, stage) && isInstructionOf(filter, instruction)
}

/** Warnings about filters that name nothing in any of the stages; they say what there is. */
export function unmatchedFilters(
  filters: readonly CacheFilter[],
  stages: readonly Stage[],
): readonly string[] {
  return filters.flatMap((filter) => {
    const named = stages.filter((stage) => isStageOf(filter, stage))
    if (named.length === 0) {
      const hint = hintOf(filter.stage, stages.map(nameOf))
      return [`no stage is called ${filter.stage}: its results are looked up as usual${hint}`]
    }
    const steps = named.flatMap(({ instructions }) => instructions.filter(isStep))
    if (filter.instruction === undefined) return []
    if (steps.some((step) => isInstructionOf(filter, step))) return []
    const keywords = new Set(steps.map(({ kind }) => kind.toUpperCase()))
    const hint = hintOf(filter.instruction.toUpperCase(), [...keywords])
    return [`no step matches ${filter.text}: all results are looked up as usual${hint}`]
  })
}

/** What was meant, or what could be. */
function hintOf(written: string, names: readonly string[]): string {
  const similar = suggestion(written, names)
  if (similar !== undefined) return ` (did you mean ${similar}?)`
  if (names.length === 0) return ' (there are none)'
  const more = names.length > MOST_NAMES ? ', …' : ''
  return ` (there are ${names.slice(0, MOST_NAMES).join(', ')}${more})`
}

function nameOf({ name, index }: Stage): string {
  return name ?? String(index)
}

function isStageOf({ stage }: CacheFilter, { name, index }: Stage): boolean {
  return (name !== undefined && isMatch(stage, name)) || isMatch(stage, String(index))
}

/** The keyword alone, or the whole instruction with its flags or without them. */
function isInstructionOf({ instruction: pattern }: CacheFilter, step: StageInstruction): boolean {
  if (pattern === undefined || isMatch(pattern, step.kind)) return true
  const { flags, args } = partsOf(step)
  return [`${flags} ${args}`, args].some((text) => {
    return isMatch(pattern, normal(`${step.kind} ${text}`))
  })
}

/** What stands behind the keyword, which in a trigger is not the first word. */
function partsOf({ text, keyword, flags }: StageInstruction): {
  readonly flags: string
  readonly args: string
} {
  const start = text.indexOf(keyword.raw) + keyword.raw.length
  const args = flags.reduce((rest, { raw }) => {
    const trimmed = rest.trimStart()
    return trimmed.startsWith(raw) ? trimmed.slice(raw.length) : rest
  }, text.slice(start))
  return { flags: flags.map(({ raw }) => raw).join(' '), args }
}

/** White space and case make no difference. */
function normal(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase()
}

/** Goes back to the last star only, so that it takes no longer than both lengths multiplied. */
function isMatch(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let resumed = 0
  for (let place = 0; place < text.length; ) {
    if (pattern[at] === '*') {
      star = at++
      resumed = place
    } else if (pattern[at] === '?' || pattern[at] === text[place]) {
      at++
      place++
    } else if (star < 0) return false
    else {
      at = star + 1
      place = ++resumed
    }
  }
  return /^\**$/.test(pattern.slice(at))
}
