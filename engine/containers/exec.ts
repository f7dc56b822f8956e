import type { StartedProcess } from '#builder/sandbox'
import { TsbuildError } from '#core'
import { type ExecBody, newId, variableName } from '#engine/model'
import type { NewEvent } from '#engine/state'
import type { Container } from './container.ts'
import { containerEvent } from './container-event.ts'
import { execFailureCode, startFailure } from './exit-code.ts'
import { Streams } from './streams.ts'

/** How the process of an exec is connected. */
export interface ExecStart {
  /** Size of its terminal, where it has one. */
  readonly size: { readonly columns: number; readonly rows: number }
}

/** Another process in a container: created, then started once. */
export class Exec {
  readonly id: string = newId()
  readonly container: Container
  readonly body: ExecBody
  readonly streams: Streams = new Streams()
  readonly #emit: (event: NewEvent) => void
  #process: StartedProcess | undefined
  #size: ExecStart['size'] | undefined
  #state: 'created' | 'running' | 'ended' = 'created'
  #exitCode: number | undefined
  /** When it ended, by the clock of this process. */
  endedAt: number | undefined

  constructor(container: Container, body: ExecBody, emit: (event: NewEvent) => void) {
    this.container = container
    this.body = body
    this.#emit = emit
    this.#report('exec_create')
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Of its process on this machine, also when that has ended; 0 before there is one. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** `undefined` until it has ended. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  /**
   * Starts it; whoever is attached to `streams` sees its output.
   * @returns when it has ended
   * @throws {TsbuildError} CONFLICT, or why it could not be started: then the caller disconnects the streams
   */
  async run({ size }: ExecStart, onStarted: () => void): Promise<number> {
    this.requireNew()
    this.#state = 'running'
    this.#report('exec_start')
    try {
      this.#process = await this.#start(size)
      this.#process.resize(this.#size ?? size)
    } catch (cause) {
      this.#end(execFailureCode(cause))
      throw startFailure(cause, 'exec')
    }
    onStarted()
    return await this.#serve(this.#process)
  }

  /** @throws {TsbuildError} CONFLICT when it cannot be started any more, or not now */
  requireNew(): void {
    if (this.#state !== 'created') {
      throw new TsbuildError(`Error: Exec command ${this.id} has already run`, { code: 'CONFLICT' })
    }
    this.container.process()
  }

  /** Gives its terminal another size. */
  resize(size: ExecStart['size']): void {
    // Clients say their size while it is being started.
    this.#size = size
    this.#process?.resize(size)
  }

  async #start(size: ExecStart['size']): Promise<StartedProcess> {
    const { Cmd = [], User, WorkingDir, Tty, AttachStdin, Privileged } = this.body
    const running = this.container.process()
    const { config, hostConfig } = this.container.record
    const spec = {
      args: Cmd,
      env: execEnvironment(this.container, this.body),
      user: User || (config.User ?? ''),
      cwd: WorkingDir || config.WorkingDir || '/',
      groups: hostConfig.GroupAdd ?? [],
      privileged: Privileged === true,
    }
    return await running.exec(spec, {
      stdin: AttachStdin === true || Tty === true ? 'pipe' : 'empty',
      ...(Tty === true ? { terminal: size } : {}),
    })
  }

  async #serve(process: StartedProcess): Promise<number> {
    this.streams.connect(this.body.AttachStdin === true ? process.stdin : undefined)
    if (this.body.AttachStdin !== true) process.stdin?.end()
    try {
      const exitCode = await this.streams.serve(process)
      this.#end(exitCode)
      return exitCode
    } catch (cause) {
      this.#end(137)
      throw cause
    } finally {
      this.streams.disconnect()
    }
  }

  #end(exitCode: number): void {
    this.#state = 'ended'
    this.#exitCode = exitCode
    this.endedAt = performance.now()
    this.#report('exec_die', { exitCode: `${exitCode}` })
  }

  #report(what: string, attributes: Readonly<Record<string, string>> = {}): void {
    const { record } = this.container
    const command = what === 'exec_die' ? '' : `: ${(this.body.Cmd ?? []).join(' ')}`
    const more = { execID: this.id, ...attributes }
    this.#emit(containerEvent(record, `${what}${command}`, more))
  }
}

/** That of the container, with what is asked for in its place. */
function execEnvironment(
  container: Container,
  { Env: asked = [], Tty = false }: ExecBody,
): readonly string[] {
  const names = new Set(asked.map(variableName))
  const own = container.environment(Tty)
  return [...own.filter((entry) => !names.has(variableName(entry))), ...asked]
}
