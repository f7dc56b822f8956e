import type { Buffer } from 'node:buffer'
import { capabilityRules } from '../filter/capability-rules.ts'
import { compileProfile } from '../filter/compile-profile.ts'
import { STEP_CAPABILITIES } from '../filter/profile.ts'
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
  if (capabilities === STEP_CAPABILITIES) return usual
  const known = filters.get(capabilities)
  if (known !== undefined) return known
  const filter = stepFilter(process.arch, capabilityRules(capabilities))
  if (filters.size >= MOST_KNOWN) filters.clear()
  filters.set(capabilities, filter)
  return filter
}

/** By what programs may do: most containers have one of a few sets, and compiling takes milliseconds. */
const filters = new Map<bigint | undefined, Buffer>()
const MOST_KNOWN = 100
