import { finished, type Readable } from 'node:stream'
import type { ProcessSpec } from './process-spec.ts'
import type { ExitStatus, Sandbox, StartOptions } from './sandbox.ts'

/** How a process is run to its end. */
export interface RunOptions extends Omit<StartOptions, 'stdin' | 'terminal'> {
  /** Called when the process runs its program. */
  readonly onBegin?: () => void
  /** Gets the output as it comes. The process waits while this runs, and is killed when it throws. */
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
}

/** Milliseconds to wait for the end of output that a process outside of the step holds open. */
const OUTPUT_GRACE = 1000

/**
 * Starts a process and waits until it and everything that it started have ended.
 * @throws {TsbuildError} as `Sandbox.start` and `RunningProcess.wait` do, or what `onOutput` throws
 */
export async function run(
  sandbox: Sandbox,
  spec: ProcessSpec,
  { onBegin, onOutput, ...options }: RunOptions,
): Promise<ExitStatus> {
  await using process = await sandbox.start(spec, options)
  onBegin?.()
  let failure: { readonly cause: unknown } | undefined
  const forward = (stream: 'stdout' | 'stderr'): Promise<void> =>
    forwardOutput(process[stream], (data) => {
      try {
        onOutput(stream, data)
      } catch (cause) {
        failure ??= { cause }
        process.signal('SIGKILL')
      }
    })
  const outputs = [forward('stdout'), forward('stderr')]
  const status = await process.wait()
  await atMost(OUTPUT_GRACE, Promise.all(outputs))
  if (failure !== undefined) throw failure.cause
  return status
}

/** Reads as fast as the receiver takes it; a full pipe makes the step wait. */
function forwardOutput(output: Readable, receive: (data: Uint8Array) => void): Promise<void> {
  output.on('data', receive)
  return new Promise((resolve) => finished(output, () => resolve()))
}

/** An aborted `delay` would cost milliseconds: its error has the stack of all that waits. */
async function atMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}
