import type { ExitStatus, RunningProcess } from '#builder/sandbox'
import type { ContainerRecord } from '#engine/model'
import type { ContainerDeps, OutputLog } from './container-deps.ts'
import type { Streams } from './streams.ts'

/** What runs of containers are made with. */
interface RunParts {
  readonly deps: ContainerDeps
  /** Called when the program has ended, while its network and mounts are still there. */
  readonly onExit: (how: ExitStatus) => void
}

/** One run of a container: from the start of its program to its end. */
export class ContainerRun {
  readonly #started = Promise.withResolvers<RunningProcess>()
  /** How it ended, once nothing is left of it. Rejects where it could not be started. */
  readonly ended: Promise<ExitStatus>
  readonly startedAt: number = performance.now()
  #process: RunningProcess | undefined
  #hasExited = false

  /** Starts it at once. */
  constructor(record: ContainerRecord, streams: Streams, { deps, onExit }: RunParts) {
    this.ended = this.#run(record, streams, { deps, onExit })
    this.ended.catch((cause: unknown) => this.#started.reject(cause))
    this.#started.promise.catch(() => undefined)
  }

  /** @returns when the program runs. @throws as `Sandbox.start` does */
  started(): Promise<RunningProcess> {
    return this.#started.promise
  }

  /** `undefined` until its program runs. */
  get process(): RunningProcess | undefined {
    return this.#process
  }

  /** Whether its program has ended, while what it had may not be released yet. */
  get hasExited(): boolean {
    return this.#hasExited
  }

  async #run(
    record: ContainerRecord,
    streams: Streams,
    { deps, onExit }: RunParts,
  ): Promise<ExitStatus> {
    return await deps.run(record, async (process) => {
      const log = deps.openLog(record)
      log.begin()
      const write = (stream: 'stdout' | 'stderr', data: Uint8Array): void | Promise<void> =>
        log.write(stream, data)
      const outputs = [
        streams.forward(process.stdout, 'stdout', write),
        streams.forward(process.stderr, 'stderr', write),
      ]
      streams.connect(process.stdin)
      this.#process = process
      this.#started.resolve(process)
      try {
        const status = await process.wait()
        this.#hasExited = true
        onExit(status)
        return status
      } finally {
        await this.#end(outputs, streams, log)
      }
    })
  }

  async #end(outputs: readonly Promise<void>[], streams: Streams, log: OutputLog): Promise<void> {
    await streams.settled(outputs)
    streams.disconnect()
    await log.end()
  }
}
