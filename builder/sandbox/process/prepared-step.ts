import { close } from 'node:fs'
import { promisify } from 'node:util'
import { closeNamespaces, type Namespaces } from '#builder/linux'
import type { StepNetwork } from '#builder/network'
import type { Child } from '../children/child.ts'
import type { ProcessRights } from '../container/container-rights.ts'
import type { StepNamespaces } from '../container/step-namespaces.ts'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { type AssembledRoot, closeRoot, rootDescriptors } from '../root/assemble.ts'
import { removeStubs } from '../root/stubs.ts'
import type { StepSpec } from '../spec/step-spec.ts'
import { closeFirst, endFirst, type FirstProcess } from './first-process.ts'

/** What a step is prepared from. */
export interface StepInput {
  readonly spec: StepSpec
  /** An existing network to use, or how to get one. */
  readonly network: StepNetwork | 'none' | 'host'
  /** Where its other namespaces come from. */
  readonly namespaces: StepNamespaces
  /** The control groups that the step will be in. */
  readonly cgroups: readonly CgroupDir[]
  /** Whether they keep it from opening devices of the host. */
  readonly devicesLimited: boolean
  /** Whether its process will have a terminal. */
  readonly hasTerminal: boolean
}

/** What the kernel may refuse to a step. */
export type StepPart = 'proc' | 'hostname' | 'loopback' | 'labels'

/** Namespaces, a root and a pid 1, ready for the program of a step. Data: another thread starts it. */
export interface PreparedStep {
  readonly first: FirstProcess
  /** What it has none of its own of. */
  readonly lacking: readonly StepPart[]
  /** Descriptors of all namespaces of the step. */
  readonly namespaces: Namespaces
  readonly root: AssembledRoot
  /** The filter of system calls that pid 1 has, too; absent: none. */
  readonly filter: Uint8Array | undefined
  readonly rights: ProcessRights
  /** The profile of AppArmor that its program gets; absent: none. */
  readonly profile: string | undefined
  /** Whose pid namespace it has: processes in that of others do not end with pid 1. */
  readonly pids: 'own' | 'shared' | 'host'
  /** Whether its own control group is the root of what it sees of them. */
  readonly hidesGroups: boolean
  /** The label of SELinux that its program gets; absent: none. */
  readonly label: string | undefined
}

/**
 * Takes a step down: all its processes end, its mounts go, and what was made for them in its root.
 * @param pidOne its first process, which may have ended
 */
export async function releaseStep(step: PreparedStep, pidOne: Child): Promise<void> {
  // The kernel releases the mounts with the last process, unless a descriptor holds them.
  if (step.first.gate === undefined) {
    closeNamespaces(step.namespaces)
    closeRoot(step.root)
  } else {
    // That process has ended, and a mount may write to the disk what was written to it.
    const held = [...Object.values(step.namespaces), ...rootDescriptors(step.root)]
    await Promise.all(held.map((descriptor) => closeInPool(descriptor)))
  }
  closeFirst(step.first)
  // Where its end is lost, there is nothing more to wait for.
  await pidOne.kill().catch(() => undefined)
  removeStubs(step.root.stubs)
}

const closeInPool = promisify(close)

/** The same for one without sockets whose pid 1 nothing has taken over. Blocks the calling thread. */
export function dropStep({ namespaces, first, root }: PreparedStep): void {
  const { pid: _, ...others } = namespaces
  closeNamespaces(others)
  closeRoot(root)
  endFirst(first)
  removeStubs(root.stubs)
}
