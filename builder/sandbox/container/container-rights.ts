/** What programs of a container may do: from its settings, and from what steps may. */
import { readFileSync } from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { TsbuildError } from '#core'
import { hasCapability } from '#disk'
import { capabilityNumber } from '../filter/capabilities.ts'
import { STEP_CAPABILITIES } from '../filter/profile.ts'
import type { HostFacts } from '../root/host-facts.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'

/** What programs are left with, besides a filter of system calls. */
export interface ProcessRights {
  /** A bit each; absent: all of the builder. */
  readonly capabilities: bigint | undefined
  readonly noNewPrivileges: boolean
  /** How soon the kernel ends them; absent: as the builder. */
  readonly oomScoreAdj: number | undefined
}

/** Those of a step or container. @throws {TsbuildError} USAGE */
export function rightsOf({
  security,
  container = {},
}: Pick<ProcessSpec, 'security' | 'container'>): ProcessRights {
  const { capabilities, noNewPrivileges = false, oomScoreAdj } = container
  const usual = security === 'insecure' ? undefined : STEP_CAPABILITIES
  return {
    capabilities: capabilities === undefined ? usual : maskOf(capabilities),
    noNewPrivileges,
    oomScoreAdj: oomScoreAdj === undefined ? undefined : reachableScore(oomScoreAdj),
  }
}

const SYS_RESOURCE = 24

/** Who may not lower the score below the builder's gets that, as with rootless dockerd. */
function reachableScore(score: number): number {
  if (!isUserNamespace() && hasCapability(SYS_RESOURCE)) return score
  return Math.max(score, Number(readFileSync('/proc/self/oom_score_adj', 'latin1')))
}

/** The profile of AppArmor that programs get; absent: none. */
export function profileFor(
  { security, container }: Pick<ProcessSpec, 'security' | 'container'>,
  { profile, takesProfiles }: Pick<HostFacts, 'profile' | 'takesProfiles'>,
): string | undefined {
  const wanted = container?.apparmor
  if (wanted === undefined) return security === 'insecure' ? undefined : profile
  return wanted === 'unconfined' || !takesProfiles ? undefined : wanted
}

function maskOf(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const number = capabilityNumber(name.replace(/^CAP_/, ''))
    if (number === undefined) throw unknownCapabilityError(name)
    return mask | (1n << BigInt(number))
  }, 0n)
}

function unknownCapabilityError(name: string): TsbuildError {
  return new TsbuildError(`invalid capability: unknown capability ${JSON.stringify(name)}`, {
    code: 'USAGE',
    hint: 'capabilities(7) lists their names',
  })
}
