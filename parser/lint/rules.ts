import type { CheckRule, Rule } from './rule/rule.ts'
import * as list from './rule-list.ts'

/** All rules in the order in which they run. */
export const ORDERED_RULES: readonly Rule[] = Object.values(list).toSorted(
  (a, b) => a.order - b.order,
)

/** All build checks by name. */
export const RULES: ReadonlyMap<string, CheckRule> = new Map(
  ORDERED_RULES.map((rule) => [rule.name, rule]),
)
