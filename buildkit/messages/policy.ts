/** Which sources a build may use. Spec: BuildKit, sourcepolicy/pb/policy.proto */
import { integer, list, type Message, message, nested, string, stringMap } from './wire.ts'

export interface PolicyConstraint {
  readonly key: string
  readonly value: string
  readonly condition: number
}

const POLICY_CONSTRAINT: Message<PolicyConstraint> = message({
  key: string(1),
  value: string(2),
  condition: integer(3),
})

export interface PolicySelector {
  readonly identifier: string
  readonly match_type: number
  readonly constraints: readonly PolicyConstraint[]
}

const POLICY_SELECTOR: Message<PolicySelector> = message({
  identifier: string(1),
  match_type: integer(2),
  constraints: list(3, POLICY_CONSTRAINT),
})

export interface PolicyUpdate {
  readonly identifier: string
  readonly attrs: ReadonlyMap<string, string>
}

const POLICY_UPDATE: Message<PolicyUpdate> = message({
  identifier: string(1),
  attrs: stringMap(2),
})

export interface PolicyRule {
  /** 0: allow, 1: deny, 2: convert */
  readonly action: number
  readonly selector: PolicySelector | undefined
  readonly updates: PolicyUpdate | undefined
}

const POLICY_RULE: Message<PolicyRule> = message({
  action: integer(1),
  selector: nested(2, POLICY_SELECTOR),
  updates: nested(3, POLICY_UPDATE),
})

export interface SourcePolicy {
  readonly version: number
  readonly rules: readonly PolicyRule[]
}

export const SOURCE_POLICY: Message<SourcePolicy> = message({
  version: integer(1),
  rules: list(2, POLICY_RULE),
})
