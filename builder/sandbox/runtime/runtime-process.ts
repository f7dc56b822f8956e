import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import {
  adoptingOrphans,
  awaitEnd,
  makeCallProgram,
  makePipe,
  type Namespaces,
  type Pipe,
  type ProcessEnd,
  type ProgramCall,
  readReports,
  waitForExit,
} from '#builder/linux'
import { endSignals, killAndWait, type SharedChild, shareChild } from '../children/shared-child.ts'
import { type CgroupDir, entranceOf } from '../limits/cgroup-dir.ts'
import type { Launcher } from '../process/launcher.ts'
import { closeMade, openMade } from '../process/made-root.ts'
import type { PreparedStep } from '../process/prepared-step.ts'
import { startProgram } from '../process/start-program.ts'
import {
  type Io,
  type Launched,
  type LaunchInput,
  outcomeOf,
  startError,
  startProgramOf,
} from '../process/step-process.ts'
import type { StepProgram } from '../process/step-program.ts'
import { descriptorPath } from '../root/root-entry.ts'
import { checkRoot } from './check-root.ts'
import {
  CONTAINER,
  CONTAINER_ARGS,
  CONTAINER_DESCRIPTORS,
  containerCalls,
  runtimeCalls,
  STARTER,
} from './container-calls.ts'
import { ociConfig } from './oci-config.ts'
import { endOrphans } from './orphans.ts'
import { runtimeError } from './runtime-failure.ts'
import { type RuntimeFiles, type RuntimeProgram, runtimeCommand } from './runtime-program.ts'
import type { RuntimeView } from './runtime-view.ts'

/** A step that is prepared for a runtime. */
export interface RuntimeStep extends PreparedStep {
  readonly view: RuntimeView
}

/** What is started by a runtime. */
export interface RuntimeLaunchInput extends LaunchInput {
  readonly step: RuntimeStep
  readonly runtime: RuntimeProgram
}

/** The same with what is called when the runtime is started. */
interface RuntimeStart extends RuntimeLaunchInput {
  readonly onStart: (runtime: SharedChild) => void
}

/**
 * Starts the program of a prepared step by a runtime, which ends before the step does: the process that it made
 * becomes a child of this process, which adopts orphans meanwhile.
 * @param home the namespaces of the calling thread
 * @returns when the program runs
 * @throws {TsbuildError} STEP_FAILED when it cannot be started, SANDBOX_UNAVAILABLE when the runtime cannot;
 * then nothing is left of it
 */
export function startByRuntime(
  launcher: Launcher,
  home: Namespaces,
  input: RuntimeStart,
): Launched {
  checkRoot(input.step.root)
  return startProgramOf(input, launcher, (program, io) => {
    const gate = makePipe()
    const report = makePipe()
    try {
      const pid = adoptingOrphans(() => makeContainer(input, program, { io, gate, report }))
      const made = openMade(pid, home)
      try {
        return {
          pid: admit(pid, program, { cgroups: input.group.directories, gate, report }),
          made,
        }
      } catch (cause) {
        closeMade(made)
        throw cause
      }
    } finally {
      closeSync(gate.writeEnd)
      closeSync(report.readEnd)
    }
  })
}

interface Pipes {
  /** The container's process waits at it. */
  readonly gate: Pipe
  /** What its calls report. */
  readonly report: Pipe
}

/** Runs the runtime to its end, and closes the container's ends of the pipes. @returns the pid in the container */
function makeContainer(
  { step, runtime, group, onStart }: RuntimeStart,
  program: StepProgram,
  { io, gate, report }: Pipes & { readonly io: Io },
): number {
  const { view } = step
  const executed = makeCallProgram(containerCalls(program), { report: CONTAINER.report })
  try {
    const bundle = descriptorPath(view.bundle)
    writeFileSync(`${bundle}/config.json`, ociConfig(program, view.container, CONTAINER_ARGS))
    const descriptors: readonly Moved[] = [
      [executed, CONTAINER.program],
      [gate.readEnd, CONTAINER.gate],
      [report.writeEnd, CONTAINER.report],
      [view.mounts, STARTER.mounts],
    ]
    const command = runtimeCommand(runtime, filesIn(view.path))
    const ended = runRuntime(command, group.directories, { io, descriptors, onStart })
    const made = Number(readIfThere(`${bundle}/pid`))
    if (ended.exitCode === 0 && made > 0) return made
    endOrphans({ first: step.first, runtime: ended.pid })
    throw runtimeError(runtime, { ...ended, log: readIfThere(`${bundle}/log`) })
  } finally {
    for (const descriptor of [executed, gate.readEnd, report.writeEnd]) closeSync(descriptor)
  }
}

function filesIn(path: string): RuntimeFiles {
  return {
    bundle: path,
    state: `${path}/state`,
    log: `${path}/log`,
    pid: `${path}/pid`,
    descriptors: CONTAINER_DESCRIPTORS,
  }
}

type Moved = readonly [from: number, to: number]

interface RuntimeInput {
  readonly io: Io
  readonly descriptors: readonly Moved[]
  readonly onStart: RuntimeStart['onStart']
}

/** How a runtime has ended. */
interface EndedRuntime extends ProcessEnd {
  /** Released. */
  readonly pid: number
}

/** Runs it to its end. */
function runRuntime(
  command: readonly string[],
  cgroups: readonly CgroupDir[],
  { io, descriptors, onStart }: RuntimeInput,
): EndedRuntime {
  const groups = [...cgroups, ...cgroups.map((group) => ({ ...group, path: group.home }))]
  const calls = runtimeCalls(command, cgroups.length)
  const lists = groups.map((group) => openSync(entranceOf(group), 'w'))
  const report = makePipe()
  const { stdin, stdout, stderr } = io.theirs
  let pid: number
  try {
    pid = startProgram(calls, {
      name: 'runtime',
      report: STARTER.report,
      standard: [stdin, stdout, stderr],
      moved: [
        ...descriptors,
        [report.writeEnd, STARTER.report],
        ...lists.map((list, index): Moved => [list, STARTER.firstGroup + index]),
      ],
    })
  } catch (cause) {
    closeSync(report.readEnd)
    throw cause
  } finally {
    for (const descriptor of [report.writeEnd, ...lists]) closeSync(descriptor)
  }
  const child = shareChild(pid)
  onStart(child)
  return { pid, ...endOf(child, calls, report.readEnd) }
}

/** Waits for the end of the runtime, or the failure to start it. */
function endOf(child: SharedChild, calls: readonly ProgramCall[], report: number): ProcessEnd {
  try {
    const { failure } = outcomeOf(readReports(report), calls)
    awaitEnd(child.pid)
    endSignals(child)
    const end = waitForExit(child.pid)
    if (failure !== undefined) throw failure
    return end
  } finally {
    closeSync(report)
  }
}

interface AdmitOptions extends Pipes {
  readonly cgroups: readonly CgroupDir[]
}

/** Lets the process in the container become the step's program, in the control groups of the step. */
function admit(pid: number, program: StepProgram, { cgroups, gate, report }: AdmitOptions): number {
  try {
    for (const { path } of cgroups) writeFileSync(`${path}/cgroup.procs`, `${pid}`)
    writeSync(gate.writeEnd, '\0')
    const { failure } = outcomeOf(readReports(report.readEnd), containerCalls(program))
    if (failure === undefined) return pid
    throw startError(failure, { ...program, user: program.step.root.user })
  } catch (cause) {
    killAndWait(pid)
    throw cause
  }
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
