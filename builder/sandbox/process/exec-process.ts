/**
 * Another process in the sandbox of a step that runs: it enters as the step's own program does beside an init. The
 * files of the step are its processes' to change by now, so every path is walked inside the root again.
 */
import { closeSync, constants, openSync, statfsSync } from 'node:fs'
import { TsbuildError } from '#core'
import { environmentOf, openWorkingDirectory } from '../root/assemble.ts'
import { descriptorPath, findEntry } from '../root/root-entry.ts'
import { imageFileReader, resolveUser } from '../root/step-user.ts'
import type { ExecSpec } from '../spec/process-spec.ts'
import type { Launcher } from './launcher.ts'
import type { MadeRoot } from './made-root.ts'
import { type Launched, type LaunchInput, startBeside } from './step-process.ts'

/** What is started in the sandbox of a step, which must not be taken down meanwhile. */
export interface ExecInput extends Omit<LaunchInput, 'args'> {
  readonly spec: ExecSpec
  /** Where the first process runs; absent: in what the step was prepared in. */
  readonly made: MadeRoot | undefined
}

/**
 * Starts it.
 * @returns when the program runs
 * @throws {TsbuildError} STEP_FAILED when it cannot be started, CANCELLED; then nothing is left of it
 */
export function startExec(launcher: Launcher, { spec, made, ...launch }: ExecInput): Launched {
  const held: number[] = []
  const hold = (descriptor: number): number => {
    held.push(descriptor)
    return descriptor
  }
  try {
    const { step } = launch
    const root = made?.root ?? step.root.root
    const user = resolveUser(spec.user, imageFileReader(root), spec.groups)
    const { descriptor, names } = openWorkingDirectory(root, spec.cwd, {})
    const own = {
      ...{ root, user, cwd: hold(descriptor), cwdPath: `/${names.join('/')}` },
      ptmx: launch.terminal === undefined ? undefined : hold(openMaster(root)),
      env: environmentOf(spec, user.home),
    }
    const namespaces = made === undefined ? step.namespaces : { ...step.namespaces, mnt: made.mnt }
    const place = {
      ...step,
      ...(spec.privileged === true && {
        rights: { ...step.rights, capabilities: undefined },
        ...{ profile: undefined, label: undefined },
      }),
      ...{ namespaces, root: { ...step.root, ...own } },
    }
    return startBeside(launcher, { ...launch, step: place, args: spec.args })
  } finally {
    for (const descriptor of held) closeSync(descriptor)
  }
}

const DEVPTS_SUPER_MAGIC = 0x1cd1

/** Opens the master of a new terminal of the step's own /dev/pts. */
function openMaster(root: number): number {
  const { descriptor, stat } = findEntry(root, '/dev/pts/ptmx', { nofollow: true })
  try {
    const path = descriptorPath(descriptor)
    if (!stat.isCharacterDevice() || statfsSync(path).type !== DEVPTS_SUPER_MAGIC) {
      throw new TsbuildError('/dev/pts/ptmx of the step is no terminal', { code: 'STEP_FAILED' })
    }
    return openSync(path, constants.O_RDWR | constants.O_NOCTTY)
  } finally {
    closeSync(descriptor)
  }
}
