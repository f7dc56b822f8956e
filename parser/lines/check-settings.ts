import { parseBoolean } from '#core'

/** Which build checks run: the value of `# check=`, or of the build argument in its place. */
export interface CheckSettings {
  readonly skip: RuleSet
  readonly experimental: RuleSet
  /** `error=true`: a build with findings fails. */
  readonly isError: boolean
}

/** Names as written; unknown ones are allowed, for files that are read by other versions too. */
type RuleSet = 'all' | ReadonlySet<string>

const NONE: RuleSet = new Set()
/** The settings of a file without a `check` directive. */
export const NO_SETTINGS: CheckSettings = { skip: NONE, experimental: NONE, isError: false }

/**
 * Reads `skip=all|Rule,…;error=bool;experimental=all|Rule,…`, the parts in any order; of a repeated
 * part the last one counts. What is wrong comes back as a text.
 * Spec: BuildKit linter.ParseLintOptions
 */
export function parseCheckSettings(text: string): CheckSettings | { readonly mistake: string } {
  let settings = NO_SETTINGS
  if (text.trim() === '') return settings
  for (const part of splitParts(text.trim())) {
    const equals = part.indexOf('=')
    if (equals < 0) return { mistake: `invalid check option ${JSON.stringify(part)}` }
    const key = part.slice(0, equals).trim()
    const value = part.slice(equals + 1).trim()
    if (key === 'skip' || key === 'experimental') {
      settings = { ...settings, [key]: parseRules(value) }
    } else if (key !== 'error') {
      return { mistake: `invalid check option ${JSON.stringify(key)}` }
    } else if (parseBoolean(value) !== undefined) {
      settings = { ...settings, isError: parseBoolean(value) === true }
    } else {
      const [whole, wrong] = [JSON.stringify(part), JSON.stringify(value)]
      const why = `strconv.ParseBool: parsing ${wrong}: invalid syntax`
      return { mistake: `failed to parse check option ${whole}: ${why}` }
    }
  }
  return settings
}

/** At most three parts: what is behind a third semicolon belongs to the third. */
function splitParts(text: string): readonly string[] {
  const [first = '', second, ...rest] = text.split(';')
  if (second === undefined) return [first]
  return rest.length === 0 ? [first, second] : [first, second, rest.join(';')]
}

function parseRules(value: string): RuleSet {
  return value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()))
}

/** True when `rules` has the rule. */
export function hasRule(rules: RuleSet, name: string): boolean {
  return rules === 'all' || rules.has(name)
}

/** The union of both; `error` is that of the file. */
export function mergeSettings(file: CheckSettings, instruction: CheckSettings): CheckSettings {
  return {
    skip: union(file.skip, instruction.skip),
    experimental: union(file.experimental, instruction.experimental),
    isError: file.isError,
  }
}

function union(one: RuleSet, other: RuleSet): RuleSet {
  return one === 'all' || other === 'all' ? 'all' : new Set([...one, ...other])
}
