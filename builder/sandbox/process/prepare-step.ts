import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, O_PATH, pivotRoot, setDomainname, setHostname } from '#builder/linux'
import { TsbuildError } from '#core'
import { filterFor } from '../container/container-filter.ts'
import { labelsFor } from '../container/container-labels.ts'
import { profileFor, rightsOf } from '../container/container-rights.ts'
import { openSharedMounts } from '../container/shared-mounts.ts'
import { writeSysctls } from '../container/sysctls.ts'
import { type AssembledRoot, assembleRoot, type RootInput, type Undo } from '../root/assemble.ts'
import { LOOPBACK } from '../root/etc-files.ts'
import type { HostFacts } from '../root/host-facts.ts'
import type { PreparedStep, StepInput, StepPart } from './prepared-step.ts'
import type { Preparer } from './preparer.ts'
import { dropPlace, type Place, waitsAtGate } from './step-place.ts'

/** What is done in the mount namespace of a step while its root is assembled and the host's files are there. */
export type BesideHost = (place: Place) => void

/**
 * Prepares one step in a place that was made for its kind. The thread is back on the host afterwards; if
 * this fails, nothing of the step or its place is left.
 */
export function prepareStep(
  preparer: Preparer,
  place: Place,
  { input, besideHost }: { readonly input: StepInput; readonly besideHost?: BesideHost },
): PreparedStep {
  const undo: Undo = [() => dropPlace(place)]
  try {
    return prepareInside(preparer, place, { input, besideHost, undo })
  } catch (cause) {
    for (const action of undo.toReversed()) action()
    throw cause
  }
}

interface InsideOptions {
  readonly input: StepInput
  readonly besideHost: BesideHost | undefined
  /** Gets, in order, what has to be undone once the thread is back on the host. */
  readonly undo: Undo
}

function prepareInside(
  { host: found, canLabel, home, filter, mountPoints }: Preparer,
  place: Place,
  { input, besideHost, undo }: InsideOptions,
): PreparedStep {
  const { namespaces, first, scaffold, lacking } = place
  const { spec, network, cgroups, devicesLimited, hasTerminal } = input
  const labels = labelsFor(spec, found.labels)
  const host = { ...found, labels: canLabel ? labels : undefined }
  const rights = {
    ...{ rights: rightsOf(spec), filter: filterFor(spec, filter), profile: profileFor(spec, host) },
    pids: typeof input.namespaces.pid === 'number' ? 'shared' : input.namespaces.pid,
    hidesGroups: input.namespaces.cgroup === 'own',
  } as const
  using shared = openSharedMounts(spec, input.namespaces, home)
  try {
    enterNamespaces(namespaces)
    const parts: StepPart[] = nameHost(input) ? [] : ['hostname']
    writeSysctls(input)
    const limits = { cgroups, devicesLimited, showsAllGroups: !rights.hidesGroups }
    const names = namesIn(network, host)
    const inputs = { spec, host, scaffold, mountPoints, ...limits, hasTerminal, network: names }
    const root = assembleRoot({ ...inputs, shared }, undo)
    const wantsLabel = spec.security === 'sandbox' && labels !== undefined
    if (wantsLabel && root.label === undefined) parts.push('labels')
    besideHost?.(place)
    leaveHostFiles(root, input)
    return {
      ...{ first, root, label: root.label, ...rights },
      lacking: [...lacking, ...parts],
      namespaces: { ...namespaces, pid: first.namespace },
    }
  } finally {
    enterNamespaces(home)
  }
}

/** The old root is that of this mount namespace, not of the host's, so it is opened only now. */
function leaveHostFiles({ root }: AssembledRoot, input: StepInput): void {
  const oldRoot = openSync('/', O_PATH)
  try {
    const left = pivotRoot(root, oldRoot)
    // The program becomes a process that was in the namespace before.
    if (left === 'covered' && waitsAtGate(input)) throw coveredRootError()
  } finally {
    closeSync(oldRoot)
  }
}

/** @returns false where a filter refuses it a name */
function nameHost({ spec, namespaces }: StepInput): boolean {
  if (namespaces.uts !== 'own') return true
  const { hostname, container } = spec
  if (container?.domainname !== undefined) setDomainname(container.domainname)
  return setHostname(hostname)
}

function coveredRootError(): TsbuildError {
  return new TsbuildError('run a program as pid 1: a filter of system calls refuses pivot_root', {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'start this process without the filter: docker run --security-opt seccomp=unconfined',
  })
}

function namesIn(network: StepInput['network'], { address }: HostFacts): RootInput['network'] {
  return typeof network === 'string'
    ? { ownServers: undefined, gateway: LOOPBACK }
    : { ownServers: network.nameservers, gateway: address }
}
