import type { InstructionBase } from '../ast/ast.ts'
import { type CheckSettings, hasRule, mergeSettings } from '../lines/check-settings.ts'
import { settingsAbove } from '../lines/instruction-comments.ts'
import { SourceError } from '../text/diagnostics.ts'
import type { SourceRange } from '../text/source.ts'
import { RULES, type RuleName } from './rules.ts'

/** What a build check has found. */
export interface CheckWarning {
  readonly rule: RuleName
  readonly message: string
  readonly description: string
  readonly url: string | undefined
  /** Whole lines count in reports; the columns tell an editor what to underline. */
  readonly range: SourceRange
}

/** What a rule says; whether anybody hears it is decided by the settings. */
export interface Finding {
  readonly rule: RuleName
  /** A function where it takes a search: most findings of a hostile file are never told. */
  readonly message: string | (() => string)
  readonly range: SourceRange
  /** The instruction above which a `# check=` comment can switch it off. */
  readonly by?: Pick<InstructionBase, 'comments'> | undefined
}

/** A file of garbage has one finding a line. */
const MAX_WARNINGS = 1000

/** Takes findings, drops what the settings leave out, and passes the others on. */
export class Linter {
  readonly #settings: CheckSettings
  readonly #onWarning: (warning: CheckWarning) => void
  readonly #warnings: CheckWarning[] = []

  constructor(settings: CheckSettings, onWarning: (warning: CheckWarning) => void) {
    this.#settings = settings
    this.#onWarning = onWarning
  }

  /** In the order in which they were found; no more than the first thousand. */
  get warnings(): readonly CheckWarning[] {
    return this.#warnings
  }

  add(findings: Iterable<Finding>): void {
    for (const finding of findings) this.#addOne(finding)
  }

  /** True when nothing more is taken. */
  get isFull(): boolean {
    return this.#warnings.length >= MAX_WARNINGS
  }

  /** With `error=true`: what a build fails with when there are warnings. */
  failure(): SourceError | undefined {
    if (!this.#settings.isError || this.#warnings.length === 0) return undefined
    const names = new Set(this.#warnings.map(({ rule }) => rule))
    return new SourceError(`lint violation found for rules: ${[...names].join(', ')}`, {
      code: 'DOCKERFILE_INVALID',
      ranges: this.#warnings.slice(0, 1).map(({ range }) => range),
      hint: 'correct what the checks have found, or remove error=true from the check settings',
    })
  }

  #addOne({ rule, message, range, by }: Finding): void {
    const known = RULES.get(rule)
    if (known === undefined || this.isFull) return
    const above = by === undefined ? undefined : settingsAbove(by)
    const settings = above === undefined ? this.#settings : mergeSettings(this.#settings, above)
    const isOn = known.isExperimental
      ? hasRule(settings.experimental, rule)
      : !hasRule(settings.skip, rule)
    if (!isOn) return
    const { description, url } = known
    const told = typeof message === 'string' ? message : message()
    const warning = { rule, message: told, description, url, range }
    this.#warnings.push(warning)
    this.#onWarning(warning)
  }
}
