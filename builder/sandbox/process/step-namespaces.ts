import { closeSync, openSync } from 'node:fs'
import {
  closeNamespaces,
  enterDirectory,
  enterNamespaces,
  isUserNamespace,
  makeMountsPrivate,
  type NamespaceKind,
  type Namespaces,
  namespacesToReturnTo,
  O_PATH,
  openNamespaces,
  pivotRoot,
  raiseLoopback,
  setHostname,
  setUmask,
  unshareNamespaces,
  unshareWorkingDirectory,
} from '#builder/linux'
import { TsbuildError } from '#core'
import { stepFilter } from '../filter/step-filter.ts'
import { OWN_NETWORK_DNS } from '../network/network-program.ts'
import { type AssembledRoot, assembleRoot, type RootInput, type Undo } from '../root/assemble.ts'
import { LOOPBACK } from '../root/etc-files.ts'
import { type HostFacts, readHostFacts } from '../root/host-facts.ts'
import { mountKernel } from '../root/kernel-mounts.ts'
import { mountScaffold } from '../root/scaffold.ts'
import { endFirst } from './first-process.ts'
import { startGate } from './gate-process.ts'
import { startInit } from './init-process.ts'
import type { PreparedStep, StepInput, StepPart } from './prepared-step.ts'
import { startWithProc } from './proc-mount.ts'

/** A thread that prepares steps: how it comes back from their namespaces, and the facts of the host. */
export interface Preparer {
  /** An empty directory of ours: in each step's mount namespace, the scaffold is mounted here. */
  readonly scaffold: string
  readonly home: Namespaces
  readonly host: HostFacts
  readonly filter: ReturnType<typeof stepFilter>
}

/** Binds the calling thread to this work: it gets a working directory and umask of its own. */
export function openPreparer(scaffold: string): Preparer {
  unshareWorkingDirectory()
  setUmask(0)
  return {
    scaffold,
    home: namespacesToReturnTo(),
    host: readHostFacts(),
    filter: stepFilter(),
  }
}

/** Releases what `openPreparer` opened. */
export function closePreparer({ home }: Preparer): void {
  closeNamespaces(home)
}

/**
 * Prepares one step: namespaces, mounts, pid 1. The thread is back on the host afterwards; if this
 * fails, nothing of the step is left.
 */
export function prepareStep(preparer: Preparer, input: StepInput): PreparedStep {
  const undo: Undo = []
  try {
    return prepareInside(preparer, input, undo)
  } catch (cause) {
    for (const action of undo.toReversed()) action()
    throw cause
  }
}

/** @param undo gets, in order, what has to be undone once the thread is back on the host */
function prepareInside(preparer: Preparer, input: StepInput, undo: Undo): PreparedStep {
  const { spec, network, cgroups, devicesLimited } = input
  const { host, home, filter } = preparer
  try {
    enterNewNamespaces(network)
    makeMountsPrivate()
    const scaffold = mountScaffold(preparer.scaffold)
    enterScaffold(preparer.scaffold)
    const { first, hasOwnProc } = startWithProc(scaffold.proc, (mountProc) =>
      spec.init ? startInit({ mountProc, filter }) : startGate({ mountProc, filter, cgroups }),
    )
    try {
      const lacking: StepPart[] = hasOwnProc ? [] : ['proc']
      if (!setHostname(spec.hostname)) lacking.push('hostname')
      if (network === 'none' && !raiseLoopback()) lacking.push('loopback')
      mountKernel(scaffold, { host, security: spec.security, devicesLimited })
      const names = namesIn(network, host)
      const parts = { spec, host, scaffold, cgroups, devicesLimited, network: names }
      const root = assembleRoot(parts, undo)
      const opened = openNamespaces(kindsToEnter(network))
      undo.push(() => closeNamespaces(opened))
      leaveHostFiles(root, spec)
      const namespaces = { ...opened, pid: first.namespace }
      const isInsecure = spec.security === 'insecure'
      return { first, lacking, namespaces, root, filter: isInsecure ? undefined : filter }
    } catch (cause) {
      undo.push(() => endFirst(first))
      throw cause
    }
  } finally {
    enterNamespaces(home)
  }
}

function enterScaffold(path: string): void {
  const descriptor = openSync(path, O_PATH)
  enterDirectory(descriptor)
  closeSync(descriptor)
}

function enterNewNamespaces(network: StepInput['network']): void {
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts']
  if (network === 'none') kinds.push('net')
  if (typeof network === 'number') enterNamespaces({ net: network })
  unshareNamespaces(kinds)
}

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetworkNamespace({ home }: Preparer): number {
  try {
    unshareNamespaces(['net'])
    raiseLoopback()
    return openSync('/proc/thread-self/ns/net', 'r')
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

/** In a user namespace a thread cannot enter the host's network, but it is there already. */
function kindsToEnter(network: StepInput['network']): readonly NamespaceKind[] {
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts']
  return network !== 'host' || !isUserNamespace() ? [...kinds, 'net'] : kinds
}

function namesIn(network: StepInput['network'], { address }: HostFacts): RootInput['network'] {
  const isOwn = typeof network === 'number'
  return isOwn
    ? { ownServer: OWN_NETWORK_DNS, gateway: address }
    : { ownServer: undefined, gateway: LOOPBACK }
}
