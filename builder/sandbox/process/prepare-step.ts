import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, O_PATH, pivotRoot, setHostname } from '#builder/linux'
import { TsbuildError } from '#core'
import { type AssembledRoot, assembleRoot, type RootInput, type Undo } from '../root/assemble.ts'
import { LOOPBACK } from '../root/etc-files.ts'
import type { HostFacts } from '../root/host-facts.ts'
import type { PreparedStep, StepInput, StepPart } from './prepared-step.ts'
import type { Preparer } from './preparer.ts'
import { dropPlace, type Place } from './step-place.ts'

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
  const host = canLabel ? found : { ...found, labels: undefined }
  try {
    enterNamespaces(namespaces)
    const parts: StepPart[] = setHostname(spec.hostname) ? [] : ['hostname']
    const names = namesIn(network, host)
    const limits = { cgroups, devicesLimited }
    const inputs = { spec, host, scaffold, mountPoints, ...limits, hasTerminal, network: names }
    const root = assembleRoot(inputs, undo)
    const isInsecure = spec.security === 'insecure'
    if (!isInsecure && found.labels !== undefined && root.label === undefined) parts.push('labels')
    besideHost?.(place)
    leaveHostFiles(root, spec)
    return {
      first,
      lacking: [...lacking, ...parts],
      namespaces: { ...namespaces, pid: first.namespace },
      root,
      ...(isInsecure
        ? { filter: undefined, profile: undefined, label: undefined }
        : { filter, profile: host.profile, label: root.label }),
    }
  } finally {
    enterNamespaces(home)
  }
}

/** The old root is that of this mount namespace, not of the host's, so it is opened only now. */
function leaveHostFiles({ root }: AssembledRoot, { init }: StepInput['spec']): void {
  const oldRoot = openSync('/', O_PATH)
  try {
    const left = pivotRoot(root, oldRoot)
    // The program becomes a process that was in the namespace before.
    if (left === 'covered' && !init) throw coveredRootError()
  } finally {
    closeSync(oldRoot)
  }
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
