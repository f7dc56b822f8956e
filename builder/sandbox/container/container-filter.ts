import type { Buffer } from 'node:buffer'
import { capabilityRules } from '../filter/capability-rules.ts'
import { compileProfile } from '../filter/compile-profile.ts'
import { stepFilter } from '../filter/step-filter.ts'
import type { StepSpec } from '../spec/step-spec.ts'
import { rightsOf } from './container-rights.ts'

/**
 * The filter of system calls of a step or container; absent: none.
 * @param usual that of steps
 * @throws {TsbuildError} USAGE for an invalid profile
 */
export function filterFor(spec: StepSpec, usual: Buffer): Buffer | undefined {
  const seccomp = spec.container?.seccomp
  const { capabilities } = rightsOf(spec)
  if (typeof seccomp === 'object') return compileProfile(seccomp.profile, capabilities)
  if (seccomp === 'unconfined' || spec.security === 'insecure') return undefined
  if (spec.container?.capabilities === undefined) return usual
  return stepFilter(process.arch, capabilityRules(capabilities))
}
