/** One step in place, from its mounts to the last of its processes. It blocks the calling thread. */
import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import {
  childPath,
  closeNamespaces,
  enterNamespaces,
  getResourceLimit,
  mountPoints,
  O_PATH,
  openNamespaces,
  ownCapabilities,
  type ProcessEnd,
  raiseLoopback,
  SystemError,
  unshareNamespaces,
} from '#builder/linux'
import { hasNoNewPrivileges, processStatus } from '#builder/namespaces'
import { makeStopFlag, TsbuildError, textOfName, watchStopFlag } from '#core'
import type { Confinement } from '../filter/confinement.ts'
import { STEP_CAPABILITIES } from '../filter/profile.ts'
import { stepFilter } from '../filter/step-filter.ts'
import type { SharedChild } from '../process/shared-child.ts'
import { StepIo, type StepPipes } from '../process/step-io.ts'
import { asUser, startError } from '../process/step-process.ts'
import { environmentOf, openWorkingDirectory } from '../root/assemble.ts'
import { findProgram, notExecutableError } from '../root/find-program.ts'
import type { StepSocket } from '../root/step-mounts.ts'
import { imageFileReader, resolveUser, type StepUser } from '../root/step-user.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { noteContainerFiles } from './container-files.ts'
import { addHostLines } from './host-lines.ts'
import { isBelow } from './mounts/place.ts'
import { ShownMounts } from './mounts/shown-mounts.ts'
import { SupervisedProcess } from './processes/supervised-process.ts'

/** What is run. */
export interface InPlaceInput {
  readonly spec: ProcessSpec
  readonly stdin: 'empty' | 'pipe'
}

/** A process that runs. Descriptors belong to the receiver. */
export interface InPlaceLaunched extends StepPipes, SharedChild {
  /** Connections to them can wait already. */
  readonly sockets: readonly StepSocket[]
}

/** What steps in place need of the build. */
export interface InPlaceSettings {
  /** An empty directory of this builder on the file system of the store. */
  readonly temporary: string
  /** Absolute paths that steps must leave to the builder. */
  readonly kept: readonly string[]
}

/**
 * Runs a step to its end.
 * @param onStart is called once the process runs
 * @returns when nothing is left of it and the root is as the step's own files make it
 * @throws {TsbuildError} STEP_FAILED when it cannot be started, SANDBOX_UNAVAILABLE when this container
 *   does not let it
 */
export function runInPlace(
  input: InPlaceInput,
  settings: InPlaceSettings,
  onStart: (launched: InPlaceLaunched) => void,
): ProcessEnd {
  const { spec } = input
  const [, ...mounts] = spec.mounts
  const root = openSync('/', O_PATH)
  const undo: (() => void)[] = [() => closeSync(root)]
  try {
    const user = resolveUser(spec.user, imageFileReader(root))
    const network = spec.network === 'none' ? makeEmptyNetwork() : undefined
    if (network !== undefined) undo.push(() => closeSync(network))
    undo.push(noteContainerFiles(process.env))
    undo.push(addHostLines(spec.extraHosts))
    const kept = [...settings.kept, ...ownMountPoints()]
    const shown = new ShownMounts({ root, user, kept, temporary: settings.temporary })
    undo.push(() => shown.takeBack())
    shown.show(mounts)
    const cwd = enterWorkingDirectory(root, spec.cwd, settings)
    undo.push(() => closeSync(cwd.descriptor))
    const place = { root, user, network, shown, cwd }
    return runProgram(input, place, onStart)
  } finally {
    undoAll(undo)
  }
}

/** Those of the container, without its root. */
function ownMountPoints(): readonly string[] {
  return mountPoints()
    .filter((path) => path !== '/')
    .map(textOfName)
}

interface StepPlace {
  readonly root: number
  readonly user: StepUser
  /** Descriptor of a namespace; absent: the container's. */
  readonly network: number | undefined
  readonly shown: ShownMounts
  readonly cwd: { readonly descriptor: number; readonly path: string }
}

function runProgram(
  { spec, stdin }: InPlaceInput,
  { root, user, network, shown, cwd }: StepPlace,
  onStart: (launched: InPlaceLaunched) => void,
): ProcessEnd {
  const { args, ulimits } = spec
  const [name = ''] = args
  const env = environmentOf(spec, user.home)
  if ([...args, ...env].some((text) => text.includes('\0'))) throw nulError(name)
  const path = asUser(user, () => findProgram(name, { root, cwdPath: cwd.path, env }))
  const program = {
    ...{ program: path, args, env, ulimits },
    openFiles: getResourceLimit(0, 'nofile'),
    confinement: { user, ...rightsFor(spec.security) },
  }
  using io = openIo(stdin)
  let process: SupervisedProcess
  try {
    io.giveTo(user)
    const { secrets } = shown
    process = new SupervisedProcess({ program, cwd: cwd.descriptor, network, io, secrets })
  } catch (cause) {
    io.closeOurs()
    if (!(cause instanceof SystemError)) throw cause
    throw startError(cause, { args, ulimits, user })
  } finally {
    io.closeTheirs()
  }
  onStart({ ...process.child, ...io.ours, sockets: shown.takeSockets() })
  return process.wait()
}

/** A filter takes no_new_privs, which set-uid programs would notice, unless the container has it already. */
function rightsFor(security: ProcessSpec['security']): Omit<Confinement, 'user'> {
  if (security === 'insecure') return { filter: undefined, capabilities: undefined }
  const canFilter = hasNoNewPrivileges(processStatus()) || (ownCapabilities() & SYS_ADMIN) !== 0n
  if (canFilter) filter ??= stepFilter()
  return { filter: canFilter ? filter : undefined, capabilities: STEP_CAPABILITIES }
}

/** Of this thread: making it takes a while. */
let filter: Buffer | undefined

const SYS_ADMIN = 1n << 21n

/** The container's own /dev/null is its input. */
function openIo(stdin: InPlaceInput['stdin']): StepIo & Disposable {
  const empty = openSync('/dev/null', constants.O_RDWR)
  return Object.assign(new StepIo(empty, stdin), { [Symbol.dispose]: () => closeSync(empty) })
}

function nulError(name: string): TsbuildError {
  const cause = new Error('arguments and environment cannot have a NUL character')
  return notExecutableError(name, cause)
}

/** @throws {TsbuildError} STEP_FAILED where the directory is not the stage's */
function enterWorkingDirectory(
  root: number,
  path: string,
  { kept }: InPlaceSettings,
): StepPlace['cwd'] {
  const entry = openWorkingDirectory(root, path, (creation, make) => {
    make()
    // Whatever the umask is.
    chmodSync(childPath(creation.parent, creation.name), 0o755)
  })
  const found = `/${entry.names.join('/')}`
  const clash = kept.find((one) => isBelow(found, one))
  if (clash === undefined) return { descriptor: entry.descriptor, path: found }
  closeSync(entry.descriptor)
  throw new TsbuildError(`the working directory ${path} lies in ${clash}, which the build needs`, {
    code: 'STEP_FAILED',
    hint: 'steps run in place here, in the root of the container: choose another WORKDIR, or start the container with its files elsewhere',
  })
}

/** A network namespace in which only loopback works. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
function makeEmptyNetwork(): number {
  const home = openNamespaces(['net'])
  try {
    unshareNamespaces(['net'])
  } catch (cause) {
    closeNamespaces(home)
    throw new TsbuildError(
      'steps in place cannot be without a network: the container lets nothing make one',
      {
        code: 'SANDBOX_UNAVAILABLE',
        cause,
        hint: 'leave out --network=none, or start the container itself without a network',
      },
    )
  }
  try {
    raiseLoopback()
    return openSync('/proc/thread-self/ns/net', 'r')
  } finally {
    enterNamespaces(home)
    closeNamespaces(home)
  }
}

/** Last first. @throws the first failure, after everything else was done */
function undoAll(undo: readonly (() => void)[]): void {
  // What is undone must be undone after an abort, too.
  watchStopFlag(makeStopFlag())
  const failures: unknown[] = []
  for (const action of undo.toReversed()) {
    try {
      action()
    } catch (cause) {
      failures.push(cause)
    }
  }
  if (failures.length > 0) throw failures[0]
}
