/**
 * The two programs of system calls around a runtime. One turns a process of the builder's into the runtime. The
 * other one is what the runtime executes in the container: it waits until its process is in the control groups
 * of the step, and becomes the step's program. So the groups count nothing of the runtime, and what fails at
 * the start of the program is reported by number, as without a runtime.
 */
import { namespaceFlags, type ProgramCall } from '#builder/linux'
import { confineOnExec } from '../filter/exec-attribute.ts'
import { CLONE_NEWCGROUP, F_SETFD, FD_CLOEXEC } from '../process/kernel-constants.ts'
import { CONTROL_TERMINAL, limitCalls, type StepProgram } from '../process/step-program.ts'
import { raisedOpenFiles } from './oci-config.ts'

/** Descriptors of the process in the container, besides the three of the step's program. */
export const CONTAINER = { program: 3, gate: 4, report: 5 } as const

/** How many these are. */
export const CONTAINER_DESCRIPTORS: number = Object.keys(CONTAINER).length

/** What a runtime executes in the container. */
export const CONTAINER_ARGS: readonly string[] = [`/proc/self/fd/${CONTAINER.program}`]

/** Those of the process that becomes the runtime, which has the container's, too. */
export const STARTER = { report: 6, mounts: 7, firstGroup: 8 } as const

/**
 * From a process of the builder's to the runtime. It visits the control groups of the step, to be in a namespace
 * of which these are the root: a process that the runtime has made cannot enter it any more.
 * @param groups how many there are; of each, the lists of processes of the step's and the builder's are open
 */
export function runtimeCalls(command: readonly string[], groups: number): readonly ProgramCall[] {
  const { report, mounts, firstGroup } = STARTER
  const all = Array.from({ length: 2 * groups }, (_, index) => firstGroup + index)
  const enter = (descriptor: number): ProgramCall => ({ call: 'write', args: [descriptor, '0', 1] })
  return [
    ...all.slice(0, groups).map(enter),
    { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true },
    // Some kernels before 5.17 do not let it leave the namespace's root; then the runtime counts, too.
    ...all.slice(groups).map((descriptor) => ({ ...enter(descriptor), optional: true })),
    { call: 'setns', args: [mounts, namespaceFlags('mnt')] },
    ...[mounts, ...all].map((descriptor): ProgramCall => ({ call: 'close', args: [descriptor] })),
    { call: 'fcntl', args: [report, F_SETFD, FD_CLOEXEC] },
    { call: 'execve', args: [command[0] ?? '', [...command, 0], [0]] },
  ]
}

/** From what the runtime executes to the step's program. It ends when the gate is closed, as by the builder's end. */
export function containerCalls({
  program,
  args,
  step,
  hasTerminal,
  ulimits,
  openFiles,
}: StepProgram): readonly ProgramCall[] {
  const { gate, report } = CONTAINER
  return [
    { call: 'read', args: [gate, [0], 1], endsAtZero: true },
    { call: 'close', args: [gate] },
    { call: 'close', args: [CONTAINER.program] },
    { call: 'fcntl', args: [report, F_SETFD, FD_CLOEXEC] },
    ...(hasTerminal === true ? [CONTROL_TERMINAL] : []),
    ...limitCalls({ ulimits, openFiles: raisedOpenFiles(openFiles) }),
    // The runtime would give it to this program, whose file has no label that the policy knows.
    ...(step.label === undefined ? [] : confineOnExec(step.label, CONTAINER.program)),
    { call: 'execve', args: [program, [...args, 0], [...step.root.env, 0]] },
  ]
}
