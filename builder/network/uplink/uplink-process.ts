import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { makeCallProgram, makePipe, OWN_MOUNTS, type ProgramCall } from '#builder/linux'
import { TsbuildError } from '#core'
import type { InstalledProgram, UplinkAddresses } from './uplink-programs.ts'

/** A program that connects a namespace, as long as it runs. It ends with this process. */
export class UplinkProcess implements AsyncDisposable {
  readonly #process: ChildProcess

  constructor(process: ChildProcess) {
    this.#process = process
  }

  /** Whether the namespace is still connected. */
  get isAlive(): boolean {
    return isAlive(this.#process)
  }

  /** Ends it, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isAlive) return
    this.#process.ref()
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

/** What is connected, by what. */
export interface UplinkInput {
  readonly program: InstalledProgram
  /** Descriptor of a network namespace. */
  readonly namespace: number
  readonly addresses: UplinkAddresses
}

/**
 * Starts the program in the network of the host and waits until the namespace is connected.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE with what the program says
 */
export async function startUplink(input: UplinkInput): Promise<UplinkProcess> {
  const ready = makePipe()
  const output = new Socket({ fd: ready.readEnd, readable: true, writable: false })
  const child = startProgram(input, ready.writeEnd)
  closeSync(ready.writeEnd)
  const errors = new ErrorText(child.stderr)
  const timer = setTimeout(() => child.kill('SIGKILL'), SETUP_TIMEOUT)
  try {
    const [first] = await output.take(1).toArray()
    if (first === undefined) throw await failureOf(input, child, errors)
  } finally {
    clearTimeout(timer)
    output.destroy()
  }
  // A network must not keep the builder from ending.
  child.unref()
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref()
  return new UplinkProcess(child)
}

/** Milliseconds: far more than any of them takes. */
const SETUP_TIMEOUT = 10_000
const LIFELINE = 4

function startProgram({ program, namespace, addresses }: UplinkInput, ready: number): ChildProcess {
  const launcher = makeCallProgram(
    [
      ...ENDS_WITH_PARENT,
      // The sandbox of slirp4netns detaches the root that it was started in, with mounts that are shared with the host's.
      ...OWN_MOUNTS,
      { call: 'execve', args: [program.path, [program.name, ...program.args(addresses), 0], [0]] },
    ],
    { report: -1 },
  )
  try {
    const output = program.output === 'ready' ? ready : 'ignore'
    const child = spawn(`/proc/self/fd/${launcher}`, [], {
      argv0: program.name,
      cwd: '/',
      env: {},
      detached: true,
      stdio: [namespace, output, 'pipe', ready, 'pipe'],
    })
    child.on('error', () => undefined)
    return child
  } finally {
    closeSync(launcher)
  }
}

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9
const F_SETFL = 4
const O_NONBLOCK = 0x800

/** Of the process before it becomes the program. This one may have ended before the kernel was told. */
const ENDS_WITH_PARENT: readonly ProgramCall[] = [
  { call: 'prctl', args: [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0] },
  { call: 'fcntl', args: [LIFELINE, F_SETFL, O_NONBLOCK] },
  { call: 'read', args: [LIFELINE, [0], 1], optional: true, endsAtZero: true },
]

async function failureOf(
  { program }: UplinkInput,
  child: ChildProcess,
  errors: ErrorText,
): Promise<TsbuildError> {
  if (isAlive(child)) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const reason = errors.last ?? `it ended with ${child.signalCode ?? child.exitCode}`
  return new TsbuildError(`${program.path}: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
  })
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** The last line of what a program writes about errors, which is read as long as it runs. */
class ErrorText {
  #text = ''

  constructor(stream: Readable | null) {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      this.#text = (this.#text + text).slice(-MAX_ERRORS)
    })
  }

  get last(): string | undefined {
    return this.#text
      .split('\n')
      .map((line) => line.trim())
      .findLast((line) => line !== '' && !NOISE.test(line))
  }
}

const MAX_ERRORS = 4096
/** Where there is no syslog, pasta says so for each line. */
const NOISE = / to syslog$/
