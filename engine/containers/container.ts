import { constants } from 'node:os'
import type { ExitStatus, RunningProcess } from '#builder/sandbox'
import { signalNumber, TsbuildError } from '#core'
import {
  type ContainerRecord,
  type ContainerState,
  NO_TIME,
  now,
  type UpdateBody,
} from '#engine/model'
import { checkLimits, checkMemoryUpdate, checkWeight } from './checks/check-limits.ts'
import type { ContainerDeps, DiscardOptions } from './container-deps.ts'
import { containerEvent } from './container-event.ts'
import { ContainerRun } from './container-run.ts'
import { environmentOf, resourcesOf } from './container-spec.ts'
import { startFailure, startFailureCode } from './exit-code.ts'
import { Health, testOf } from './health.ts'
import { probe } from './probe.ts'
import { Restarts } from './restart-policy.ts'
import { parseSignal } from './signals.ts'
import { Streams } from './streams.ts'
import { type WaitCondition, Waiters } from './waiters.ts'

/** Seconds between the signal to stop and the one that kills. */
const STOP_SECONDS = 10

/** The exit code of what was killed. */
const KILLED = 137

const { SIGKILL, SIGTERM } = constants.signals

/** How a container is stopped. */
export interface StopOptions {
  readonly signal?: string | undefined
  /** Before it is killed; negative: never. */
  readonly seconds?: number | undefined
}

/** A container: what is known of it, and its program when it runs. */
export class Container {
  readonly streams: Streams = new Streams()
  readonly #deps: ContainerDeps
  readonly #waiters = new Waiters()
  readonly #restarts = new Restarts()
  #record: ContainerRecord
  #run: ContainerRun | undefined
  #health: Health | undefined
  /** The end of the last run is known to all, and what follows from it has begun. */
  #ended: Promise<void> = Promise.resolve()
  #isStopping = false
  #isRemoved = false

  constructor(record: ContainerRecord, deps: ContainerDeps) {
    this.#record = record
    this.#deps = deps
  }

  get record(): ContainerRecord {
    return this.#record
  }

  get id(): string {
    return this.#record.id
  }

  get name(): string {
    return this.#record.name
  }

  /** The environment of a process in it, which has a terminal or not. */
  environment(hasTerminal: boolean): readonly string[] {
    const { id, config } = this.#record
    const variables = this.#deps.variables(this.#record)
    return environmentOf({ id, config: { ...config, Tty: hasTerminal } }, variables)
  }

  /** How tests of it went; `undefined` where it is not tested, or does not run. */
  get health(): Health | undefined {
    return this.#health
  }

  /** Reports that somebody is connected with its input and output. */
  reportAttached(): void {
    this.#emit('attach')
  }

  /** Whether its program runs, or is to be started again soon. */
  get isRunning(): boolean {
    return this.#run !== undefined || this.#record.state.status === 'restarting'
  }

  /**
   * Waits until nothing is left of a program that has ended. Its `die` event comes before, so that whoever asks because
   * of the event would still find it running.
   */
  async settled(): Promise<void> {
    if (this.#run?.hasExited) await this.#run.ended.catch(() => undefined)
  }

  /** @throws {TsbuildError} CONFLICT when it does not run */
  process(): RunningProcess {
    const process = this.#run?.process
    if (process !== undefined) return process
    throw new TsbuildError(`container ${this.id} is not running`, { code: 'CONFLICT' })
  }

  /**
   * @returns when its program runs
   * @throws {TsbuildError} NOT_MODIFIED when it runs already, CONFLICT, and why it could not be started
   */
  async start(): Promise<void> {
    await this.settled()
    const { status } = this.#record.state
    if (status === 'paused') {
      throw new TsbuildError('cannot start a paused container, try unpause instead', {
        code: 'CONFLICT',
      })
    }
    if (this.#isRemoved || status === 'removing') {
      throw new TsbuildError('container is marked for removal and cannot be started', {
        code: 'CONFLICT',
      })
    }
    if (this.#run !== undefined) {
      await this.#run.started()
      throw new TsbuildError('container already started', { code: 'NOT_MODIFIED' })
    }
    this.#restarts.cancel()
    if (this.#record.isStoppedByUser || this.#record.restartCount > 0) {
      this.#update({ isStoppedByUser: false, restartCount: 0 })
    }
    await this.#launch()
  }

  /** @throws {TsbuildError} NOT_MODIFIED when it does not run */
  async stop(options: StopOptions = {}): Promise<void> {
    const signal = this.#stopSignal(options)
    await this.settled()
    this.#update({ isStoppedByUser: true })
    this.#isStopping = true
    this.#restarts.cancel()
    const run = this.#run
    if (run === undefined) {
      if (this.#record.state.status === 'restarting') {
        this.#setState({ status: 'exited' })
        return
      }
      throw new TsbuildError('container already stopped', { code: 'NOT_MODIFIED' })
    }
    await this.#halt(run, signal, options)
    this.#emit('stop')
  }

  async restart(options: StopOptions = {}): Promise<void> {
    try {
      await this.stop(options)
    } catch (cause) {
      if (!(cause instanceof TsbuildError) || cause.code !== 'NOT_MODIFIED') throw cause
    }
    await this.start()
    this.#emit('restart')
  }

  /** @throws {TsbuildError} CONFLICT when it does not run, USAGE */
  async kill(name = 'SIGKILL'): Promise<void> {
    const signal = parseSignal(name)
    await this.settled()
    const run = this.#run
    if (run?.process === undefined) {
      throw new TsbuildError(`container ${this.id} is not running`, { code: 'CONFLICT' })
    }
    if (signal === SIGKILL || signal === this.#stopSignal()) {
      this.#update({ isStoppedByUser: true })
      this.#isStopping = true
    }
    if (this.#record.state.status === 'paused' && signal === SIGKILL) await this.resume()
    this.#signal(run.process, signal)
    if (signal === SIGKILL) await this.#ended
  }

  /** @throws {TsbuildError} CONFLICT, UNSUPPORTED */
  async pause(): Promise<void> {
    await this.settled()
    if (this.#record.state.status === 'paused') {
      throw new TsbuildError(`container ${this.id} is already paused`, { code: 'CONFLICT' })
    }
    const process = this.process()
    try {
      await process.pause()
    } catch (cause) {
      throw cannotError(`pause container ${this.id}`, cause)
    }
    this.#setState({ status: 'paused' })
    this.#emit('pause')
  }

  /** @throws {TsbuildError} CONFLICT */
  async resume(): Promise<void> {
    if (this.#record.state.status !== 'paused') {
      throw new TsbuildError(`Container ${this.id} is not paused`, { code: 'CONFLICT' })
    }
    await this.process().resume()
    this.#setState({ status: 'running' })
    this.#emit('unpause')
  }

  /** @returns its exit code, when the condition holds */
  async wait(condition: WaitCondition): Promise<number> {
    if (condition === 'not-running' && !this.isRunning) return this.#record.state.exitCode
    return await this.#waiters.wait(condition)
  }

  /**
   * Changes limits and its restart policy, also while it runs.
   * @returns warnings
   * @throws {TsbuildError} USAGE, UNSUPPORTED, CONFLICT, NO_SPACE, IO_FAILED
   */
  async update({ RestartPolicy, ...resources }: UpdateBody): Promise<readonly string[]> {
    const { hostConfig } = this.#record
    if (RestartPolicy?.Name !== undefined && hostConfig.AutoRemove === true) {
      throw new TsbuildError(
        'Restart policy cannot be updated because AutoRemove is enabled for the container',
        { code: 'CONFLICT' },
      )
    }
    const given = Object.entries(resources).filter(([, value]) => value !== 0 && value !== '')
    const asked = Object.fromEntries(given)
    checkLimits(asked)
    const { hostConfig: kept, warnings } = await this.#deps.keepLimits(asked)
    checkMemoryUpdate(this.#record, kept)
    checkLimits({ ...hostConfig, ...kept })
    checkWeight(kept)
    const changed = {
      ...this.#record.hostConfig,
      ...kept,
      ...(RestartPolicy?.Name ? { RestartPolicy } : {}),
    }
    try {
      if (Object.keys(kept).length > 0) this.#run?.process?.update(resourcesOf(changed))
    } catch (cause) {
      throw cannotError(`update container ${this.id}`, cause)
    }
    this.#update({ hostConfig: changed })
    this.#emit('update')
    return warnings
  }

  /** Changes what lasts of it. @throws {TsbuildError} NO_SPACE, IO_FAILED */
  change(changes: Partial<Pick<ContainerRecord, 'name' | 'hostConfig' | 'endpoints'>>): void {
    this.#update(changes)
  }

  /**
   * Removes it with its files, and kills it before where that is asked for.
   * @throws {TsbuildError} CONFLICT when it runs
   */
  async remove(options: DiscardOptions & { readonly force: boolean }): Promise<void> {
    await this.settled()
    if (this.isRunning) {
      if (!options.force) throw this.#runningError()
      this.#restarts.cancel()
      this.#isStopping = true
      const process = await this.#run?.started().catch(() => undefined)
      if (process !== undefined) this.#signal(process, SIGKILL)
      await this.#ended
    }
    await this.#discard(options)
  }

  /** Ends it with the engine: as `stop`, but a policy starts it again with the next engine. */
  async shutDown(): Promise<void> {
    this.#restarts.cancel()
    this.#isStopping = true
    if (this.#run !== undefined) await this.#halt(this.#run, this.#stopSignal())
    await this.#ended
  }

  /**
   * Begins where an engine has ended that was killed, or stopped with its containers: nothing of it runs any more.
   * @returns does what its policies ask for then
   */
  recover(): () => Promise<void> {
    const { state } = this.#record
    const { status } = state
    const wasRunning = status === 'running' || status === 'paused' || status === 'restarting'
    if (wasRunning) {
      const exitCode = status === 'restarting' ? state.exitCode : KILLED
      this.#setState({ status: 'exited', pid: 0, exitCode, finishedAt: now() })
    }
    return () => this.#resumePolicies(wasRunning)
  }

  async #resumePolicies(wasRunning: boolean): Promise<void> {
    const { state, hostConfig, isStoppedByUser } = this.#record
    // A client may have begun something with it already.
    if (this.#run !== undefined || this.#isRemoved) return
    if (hostConfig.AutoRemove === true && (wasRunning || state.status === 'exited')) {
      await this.#reported(this.#discard({ volumes: 'anonymous' }))
      return
    }
    const { Name } = hostConfig.RestartPolicy ?? {}
    const isDue = Name === 'always' || (Name === 'unless-stopped' && !isStoppedByUser)
    const hasRun = state.startedAt !== NO_TIME
    // A failure is in the state.
    if (hasRun && (isDue || (Name === 'on-failure' && wasRunning))) {
      await this.#launch().catch(() => undefined)
    }
  }

  async #discard(options: DiscardOptions): Promise<void> {
    if (this.#isRemoved) return
    // The record goes first: what is left of files without one is removed by the next start.
    this.#deps.documents.delete(this.id)
    this.#isRemoved = true
    this.#record = { ...this.#record, state: { ...this.#record.state, status: 'removing' } }
    await this.#deps.discard(this.#record, options)
    this.#emit('destroy')
    this.#waiters.removed(this.#record.state.exitCode)
  }

  #runningError(): TsbuildError {
    const { status } = this.#record.state
    const name = `cannot remove container "${this.name}"`
    const way = status === 'paused' ? 'unpause and then stop the container' : 'stop the container'
    return new TsbuildError(
      `${name}: container is ${status}: ${way} before removing or force remove`,
      {
        code: 'CONFLICT',
      },
    )
  }

  #signal(process: RunningProcess, signal: number): void {
    this.#emit('kill', { signal: `${signal}` })
    process.signal(signal)
  }

  /** An image may name what is no signal. @throws {TsbuildError} USAGE for one that a client names */
  #stopSignal({ signal }: StopOptions = {}): number {
    if (signal !== undefined) return parseSignal(signal)
    return signalNumber(this.#record.config.StopSignal ?? '') ?? SIGTERM
  }

  /** Ends a run: asks for it, and kills what goes on for too long. */
  async #halt(run: ContainerRun, signal: number, { seconds }: StopOptions = {}): Promise<void> {
    const ended = this.#ended
    const process = await run.started().catch(() => undefined)
    if (process !== undefined) {
      if (this.#record.state.status === 'paused') await this.resume()
      this.#signal(process, signal)
      const patience = seconds ?? this.#record.config.StopTimeout ?? STOP_SECONDS
      if (patience >= 0 && !(await endsWithin(run, patience))) this.#signal(process, SIGKILL)
    }
    await ended
  }

  /** Runs the program once; its end is handled on its own. */
  async #launch(): Promise<void> {
    this.#isStopping = false
    const run: ContainerRun = new ContainerRun(this.#record, this.streams, {
      deps: this.#deps,
      onExit: ({ exitCode }) => {
        const duration = Math.floor((performance.now() - run.startedAt) / 1000)
        this.#emit('die', { execDuration: `${duration}`, exitCode: `${exitCode}` })
      },
    })
    this.#run = run
    this.#ended = this.#reported(this.#handleEnd(run))
    const { pid } = await this.#started(run)
    this.#setState({
      ...{ status: 'running', pid, exitCode: 0, error: '', isOutOfMemory: false },
      startedAt: now(),
    })
    this.#health = this.#watchHealth()
    this.#emit('start')
  }

  async #started(run: ContainerRun): Promise<RunningProcess> {
    const ended = this.#ended
    try {
      return await run.started()
    } catch (cause) {
      await ended
      throw startFailure(cause, 'create')
    }
  }

  #watchHealth(): Health | undefined {
    const { Healthcheck: check, Shell } = this.#record.config
    const command = check === undefined ? undefined : testOf(check, Shell)
    if (check === undefined || command === undefined) return undefined
    return new Health(check, command, {
      probe: (args, options) => {
        const { User: user = '', WorkingDir: cwd, Tty = false } = this.#record.config
        const spec = { args, env: this.environment(Tty), user, cwd: cwd || '/' }
        return probe(spec, { ...options, process: this.process() })
      },
      onChange: (status) => this.#emit(`health_status: ${status}`),
    })
  }

  async #handleEnd(run: ContainerRun): Promise<void> {
    let status: ExitStatus | undefined
    try {
      status = await run.ended
    } catch (cause) {
      this.#forget()
      await this.#failed(run, cause)
      return
    }
    this.#forget()
    const { exitCode, reached } = status
    await this.#afterEnd(run, { exitCode, isOutOfMemory: reached === 'memory' })
  }

  #forget(): void {
    this.#run = undefined
    this.#health?.[Symbol.dispose]()
  }

  /** It could not be started, or its sandbox broke. */
  async #failed(run: ContainerRun, cause: unknown): Promise<void> {
    const wasStarted = run.process !== undefined
    const exitCode = wasStarted ? 137 : startFailureCode(cause)
    const error = startFailure(cause, 'create').message
    if (wasStarted) return await this.#afterEnd(run, { exitCode, error })
    const { status } = this.#record.state
    this.#setState({ status, pid: 0, exitCode, error, finishedAt: now() })
    if (this.#record.hostConfig.AutoRemove === true) await this.#discard({ volumes: 'anonymous' })
    else this.#waiters.ended(exitCode)
  }

  async #afterEnd(
    run: ContainerRun,
    how: Pick<ContainerState, 'exitCode'> & Partial<ContainerState>,
  ): Promise<void> {
    const { exitCode } = how
    const { hostConfig, restartCount: count } = this.#record
    const policy = hostConfig.RestartPolicy ?? {}
    const isDue = !this.#isStopping && this.#restarts.isDue(policy, { exitCode, count })
    const end = { pid: 0, finishedAt: now(), isOutOfMemory: false, ...how } as const
    this.#setState({ ...end, status: isDue ? 'restarting' : 'exited' })
    if (isDue) void this.#reported(this.#restartLater(run))
    else if (hostConfig.AutoRemove === true) {
      this.#waiters.ended(exitCode)
      await this.#discard({ volumes: 'anonymous' })
    } else this.#waiters.ended(exitCode)
  }

  async #restartLater(run: ContainerRun): Promise<void> {
    const isDue = await this.#restarts.wait(performance.now() - run.startedAt)
    if (!isDue || this.#isStopping) {
      this.#waiters.ended(this.#record.state.exitCode)
      return
    }
    this.#update({ restartCount: this.#record.restartCount + 1 })
    // A failure is in the state.
    await this.#launch().catch(() => undefined)
  }

  #emit(Action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#deps.emit(containerEvent(this.#record, Action, attributes))
  }

  /**
   * A state is that of processes, which a loss of power ends in any case. Where it cannot be kept it holds all the
   * same; the next engine finds that they have ended.
   */
  #setState(changes: Partial<ContainerState>): void {
    this.#record = { ...this.#record, state: { ...this.#record.state, ...changes } }
    if (this.#isRemoved) return
    try {
      this.#deps.documents.note(this.#record)
    } catch (cause) {
      this.#report(cause)
    }
  }

  /** Of what nobody waits for, a failure is said. */
  async #reported(doing: Promise<void>): Promise<void> {
    try {
      await doing
    } catch (cause) {
      this.#report(cause)
    }
  }

  #report(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#deps.onWarning(`container ${this.name}: ${reason}`)
  }

  #update(changes: Partial<ContainerRecord>): void {
    const record = { ...this.#record, ...changes }
    if (!this.#isRemoved) this.#deps.documents.put(record)
    this.#record = record
  }
}

/** @param seconds of patience */
async function endsWithin(run: ContainerRun, seconds: number): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), seconds * 1000)
  const ended = run.ended.then(
    () => true,
    () => true,
  )
  const isEnded = await Promise.race([ended, timeout])
  clearTimeout(timer)
  return isEnded
}

function cannotError(action: string, cause: unknown): unknown {
  if (!(cause instanceof TsbuildError)) return cause
  const { code, hint } = cause
  return new TsbuildError(`Cannot ${action}: ${cause.message}`, { code, hint, cause })
}
