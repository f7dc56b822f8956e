import { type CheckSettings, hasRule, mergeSettings } from '../lines/check-settings.ts'
import { settingsAbove } from '../lines/instruction-comments.ts'
import { SourceError } from '../text/diagnostics.ts'
import type { SourceRange } from '../text/source.ts'
import type { CheckRule, Finding, Findings, Rule } from './rule/rule.ts'
import { ORDERED_RULES } from './rules.ts'

/** What a build check has found, as it is reported. */
export interface CheckWarning {
  /** Name of the rule. */
  readonly rule: string
  readonly message: string
  readonly description: string
  readonly url: string | undefined
  /** Whole lines count in reports; the columns say what an editor underlines. */
  readonly range: SourceRange
}

/** A file of garbage has one finding a line. */
const MAX_WARNINGS = 1000

/** Collects findings as warnings, except those that the settings leave out. */
export class Linter {
  readonly #settings: CheckSettings
  readonly #onWarning: (warning: CheckWarning) => void
  readonly #warnings: CheckWarning[] = []

  constructor(settings: CheckSettings, onWarning: (warning: CheckWarning) => void) {
    this.#settings = settings
    this.#onWarning = onWarning
  }

  /** In the order in which they were found; the first thousand only. */
  get warnings(): readonly CheckWarning[] {
    return this.#warnings
  }

  /** True when further findings are dropped. */
  get isFull(): boolean {
    return this.#warnings.length >= MAX_WARNINGS
  }

  /** Reports what `find` gives for each rule, in the order of the rules. */
  run(find: (rule: Rule) => Findings | undefined): void {
    for (const rule of ORDERED_RULES) this.add(rule, find(rule) ?? [])
  }

  /** Reports what a rule has found. */
  add(rule: CheckRule, findings: Findings): void {
    for (const finding of findings) this.#addOne(rule, finding)
  }

  /** With `error=true`: the error that a build with warnings ends with. */
  failure(): SourceError | undefined {
    if (!this.#settings.isError || this.#warnings.length === 0) return undefined
    const names = new Set(this.#warnings.map(({ rule }) => rule))
    return new SourceError(`lint violation found for rules: ${[...names].join(', ')}`, {
      code: 'DOCKERFILE_INVALID',
      ranges: this.#warnings.slice(0, 1).map(({ range }) => range),
      hint: 'correct what the checks have found, or remove error=true from the check settings',
    })
  }

  #addOne(
    { name, description, url, isExperimental }: CheckRule,
    { message, range, by }: Finding,
  ): void {
    if (this.isFull) return
    const above = by === undefined ? undefined : settingsAbove(by)
    const settings = above === undefined ? this.#settings : mergeSettings(this.#settings, above)
    const isOn = isExperimental
      ? hasRule(settings.experimental, name)
      : !hasRule(settings.skip, name)
    if (!isOn) return
    const text = typeof message === 'string' ? message : message()
    const warning = { rule: name, message: text, description, url, range }
    this.#warnings.push(warning)
    this.#onWarning(warning)
  }
}
