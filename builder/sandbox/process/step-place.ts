/**
 * Where a step takes place, as far as it does not depend on the step's files: namespaces, pid 1, and the
 * file systems of the kernel. So it can be made before the step is known, and is for one step only.
 */
import { closeSync, openSync } from 'node:fs'
import {
  closeNamespaces,
  enterDirectory,
  enterNamespaces,
  isUserNamespace,
  makeMountsPrivate,
  type NamespaceKind,
  type Namespaces,
  O_PATH,
  openNamespaces,
  raiseLoopback,
  unshareNamespaces,
} from '#builder/linux'
import { hostKinds } from '../container/step-namespaces.ts'
import { enderFiles } from '../limits/group-ends.ts'
import { mountKernel } from '../root/kernel-mounts.ts'
import { mountScaffold } from '../root/scaffold.ts'
import type { Scaffold } from '../root/scaffold-paths.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { endFirst, type FirstProcess } from './first-process.ts'
import { startGate } from './gate-process.ts'
import { startInit } from './init-process.ts'
import type { StepInput, StepPart } from './prepared-step.ts'
import type { Preparer } from './preparer.ts'
import { startWithProc } from './proc-mount.ts'

/** What a place is made from. */
export interface PlaceInput
  extends Pick<StepInput, 'network' | 'devicesLimited' | 'cgroups' | 'namespaces'> {
  readonly spec: Pick<ProcessSpec, 'init' | 'security' | 'container'>
}

/** A place for one step. */
export interface Place {
  /** Descriptors of all its namespaces but that of processes. */
  readonly namespaces: Namespaces
  readonly first: FirstProcess
  /** Mounted in its mount namespace, with the file systems of the kernel. */
  readonly scaffold: Scaffold
  /** What it has none of its own of. */
  readonly lacking: readonly StepPart[]
}

/** Makes a place. The thread is back on the host afterwards; if this fails, nothing is left. */
export function makePlace(preparer: Preparer, input: PlaceInput): Place {
  let first: FirstProcess | undefined
  try {
    enterNewNamespaces(input)
    makeMountsPrivate()
    const scaffold = mountScaffold(preparer.scaffold)
    enterScaffold(preparer.scaffold)
    using started = startFirst(preparer, scaffold, input)
    first = started.first
    const lacking: StepPart[] = started.hasOwnProc ? [] : ['proc']
    if (input.network === 'none' && !raiseLoopback()) lacking.push('loopback')
    const { devicesLimited, spec } = input
    mountKernel(scaffold, { host: preparer.host, spec, devicesLimited })
    started.awaitReady()
    const namespaces = openNamespaces(kindsToEnter(input))
    return { namespaces, first, scaffold, lacking }
  } catch (cause) {
    if (first !== undefined) endFirst(first)
    throw cause
  } finally {
    enterNamespaces(preparer.home)
  }
}

/** Releases a place that no step has taken over, and ends its pid 1. Blocks the calling thread. */
export function dropPlace({ namespaces, first }: Place): void {
  closeNamespaces(namespaces)
  endFirst(first)
}

function startFirst(
  { filter }: Preparer,
  scaffold: Scaffold,
  input: PlaceInput,
): ReturnType<typeof startWithProc> {
  const { cgroups, namespaces } = input
  const { pid } = namespaces
  const ends = input.spec.container === undefined ? [] : enderFiles(cgroups)
  return startWithProc(scaffold.proc, pid, (mountProc) =>
    waitsAtGate(input)
      ? startGate({ mountProc, filter, ends, cgroups, pid })
      : startInit({ mountProc, filter, ends, forwards: input.spec.container !== undefined }),
  )
}

/** Whether the process waits to become the program: an init would not be pid 1 where others have one. */
export function waitsAtGate({
  spec,
  namespaces,
}: Pick<PlaceInput, 'spec' | 'namespaces'>): boolean {
  return !spec.init || namespaces.pid !== 'own'
}

function enterScaffold(path: string): void {
  const descriptor = openSync(path, O_PATH)
  enterDirectory(descriptor)
  closeSync(descriptor)
}

function enterNewNamespaces({ network, namespaces: { ipc, uts } }: PlaceInput): void {
  const kinds: NamespaceKind[] = ['mnt']
  if (ipc === 'own') kinds.push('ipc')
  if (uts === 'own') kinds.push('uts')
  if (network === 'none') kinds.push('net')
  enterNamespaces({
    ...(typeof network !== 'string' && { net: network.namespace }),
    ...(typeof ipc === 'number' && { ipc }),
    ...(typeof uts === 'number' && { uts }),
  })
  unshareNamespaces(kinds)
}

/** In a user namespace a thread cannot enter those of the host, but it is there already. */
function kindsToEnter({ network, namespaces }: PlaceInput): readonly NamespaceKind[] {
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts', 'net']
  if (!isUserNamespace()) return kinds
  const left: readonly NamespaceKind[] = hostKinds(namespaces, network)
  return kinds.filter((kind) => !left.includes(kind))
}
