/** One step in place, from its mounts to the last of its processes. It blocks the calling thread. */
import { chmodSync, closeSync, openSync } from 'node:fs'
import {
  childPath,
  closeNamespaces,
  enterNamespaces,
  mountPoints,
  O_PATH,
  openNamespaces,
  type ProcessEnd,
  raiseLoopback,
  unshareNamespaces,
} from '#builder/linux'
import { makeStopFlag, TsbuildError, textOfName, watchStopFlag } from '#core'
import { openWorkingDirectory } from '../root/assemble.ts'
import type { StepSocket } from '../root/step-mounts.ts'
import { imageFileReader, resolveUser } from '../root/step-user.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { noteContainerFiles } from './container-files.ts'
import { addHostLines } from './host-lines.ts'
import { isBelow } from './mounts/place.ts'
import { ShownMounts } from './mounts/shown-mounts.ts'
import {
  type ProgramInput,
  type ProgramPlace,
  runProgram,
  type StartedProgram,
} from './program-run.ts'

/** What is run. */
export interface InPlaceInput extends Pick<ProgramInput, 'stdin' | 'terminal'> {
  readonly spec: ProcessSpec
}

/** A step that runs. */
export interface InPlaceLaunched extends StartedProgram {
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
  const { spec, stdin, terminal } = input
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
    const place = { root, user, network, cwd, secrets: shown.secrets }
    return runProgram({ ...spec, stdin, terminal }, place, (started) => {
      onStart({ ...started, sockets: shown.takeSockets() })
    })
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

/** @throws {TsbuildError} STEP_FAILED where the directory is not the stage's */
function enterWorkingDirectory(
  root: number,
  path: string,
  { kept }: InPlaceSettings,
): ProgramPlace['cwd'] {
  const entry = openWorkingDirectory(root, path, {
    create: 'directory',
    onCreate: (creation, make) => {
      make()
      // Whatever the umask is.
      chmodSync(childPath(creation.parent, creation.name), 0o755)
    },
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
