/**
 * The config of a container that is started in a root that is assembled, with all that is mounted, masked and
 * protected in it, and in namespaces that exist. What is left to the runtime is what the in-process sandbox
 * does in its last calls: leaving the host's files, and giving up rights. Both take it from `filter` and
 * `process`.
 */
import {
  canSetGroups,
  getResourceLimit,
  isUserNamespace,
  ownCapabilities,
  type ResourceLimit,
} from '#builder/linux'
import { capabilityMask, capabilityNames } from '../filter/capabilities.ts'
import { capabilitiesOf } from '../filter/confinement.ts'
import { OPEN_FILES, STEP_UMASK } from '../filter/profile.ts'
import { type ProcessLimit, processLimits } from '../process/process-limits.ts'
import { confinementOf, type StepProgram } from '../process/step-program.ts'
import { ociSeccomp } from './oci-seccomp.ts'

/** Where a container takes place, as paths that the runtime opens. */
export interface ContainerPlace {
  /** The assembled root. */
  readonly rootfs: string
  /** Files of namespaces to join, by the names that configs have for their kinds. */
  readonly namespaces: Readonly<Record<string, string>>
}

/** The text of config.json. @param args what the runtime executes at last */
export function ociConfig(
  program: StepProgram,
  { rootfs, namespaces }: ContainerPlace,
  args: readonly string[],
): string {
  const { step } = program
  const { cwdPath: cwd } = step.root
  const joined = Object.entries(namespaces).map(([type, path]) => ({ type, path }))
  return toJson({
    ociVersion: '1.0.2',
    process: {
      ...{ terminal: false, user: ociUser(program), args, env: [], cwd },
      capabilities: ociCapabilities(program),
      rlimits: ociLimits(processLimits(program)),
      noNewPrivileges: false,
      ...(step.profile === undefined ? {} : { apparmorProfile: step.profile }),
    },
    root: { path: rootfs },
    // Runtimes make devices in each other /dev, and in a user namespace bind those of the host there.
    mounts: [bound('/dev', `${rootfs}/dev`)],
    linux: {
      namespaces: [{ type: 'mount' }, ...joined],
      ...(step.filter === undefined ? {} : { seccomp: ociSeccomp() }),
    },
  })
}

function bound(destination: string, source: string): Readonly<Record<string, unknown>> {
  return { destination, type: 'bind', source, options: ['rbind'] }
}

function ociUser({ step }: StepProgram): Readonly<Record<string, unknown>> {
  const { uid, gid, groups } = step.root.user
  return { uid, gid, additionalGids: canSetGroups() ? groups : [], umask: STEP_UMASK }
}

function ociCapabilities({ step }: StepProgram): Readonly<Record<string, readonly string[]>> {
  const { bounding, kept } = capabilitiesOf(confinementOf(step))
  const names = (mask: bigint): readonly string[] =>
    capabilityNames(mask).map((name) => `CAP_${name}`)
  return {
    bounding: names(bounding),
    effective: names(kept),
    permitted: names(kept),
    inheritable: [],
    ambient: [],
  }
}

/**
 * Only those that take a right to be raised. The others are set by what the runtime executes: crun has them itself
 * while it works, and cannot with few processes or small files.
 */
function ociLimits(limits: readonly ProcessLimit[]): readonly Readonly<Record<string, unknown>>[] {
  if (!canRaiseLimits()) return []
  const raised = limits.filter(({ name, hard }) => hard > getResourceLimit(0, name).hard)
  const last = new Map(raised.map((limit) => [limit.name, limit]))
  return [...last.values()].map(({ name, hard }) => {
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: hard, hard }
  })
}

/**
 * The limit of open files that the runtime's process has by the time it sets its own: lower than the builder's
 * it would never get it back.
 */
export function raisedOpenFiles(own: ResourceLimit): ResourceLimit {
  if (!canRaiseLimits() || own.hard > OPEN_FILES) return own
  return { ...own, hard: OPEN_FILES }
}

function canRaiseLimits(): boolean {
  return !isUserNamespace() && (ownCapabilities() & capabilityMask('SYS_RESOURCE')) !== 0n
}

/**
 * JSON with numbers of 64 bits written whole. A path, the only free text in a config, never looks like a mark.
 * @internal
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, part) =>
    typeof part === 'bigint' ? `\u0001${part}` : part,
  )
  return text.replace(/"\\u0001(\d+)"/g, '$1')
}
