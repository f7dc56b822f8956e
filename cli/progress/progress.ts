import type { BuildEvent } from '#core'
import type { Shell } from '../terminal/shell.ts'
import { LOG_LIMITS, type LogLimits } from './step-output.ts'

/** Shows a build while it runs. */
export interface Progress {
  handle(event: BuildEvent): void
  /** Called a few times a second. */
  tick(): void
  /** Shows the last state and gives the terminal back. Harmless when called twice. */
  close(): void
}

export interface ProgressOptions {
  readonly write: (text: string) => void
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number
  readonly limits: LogLimits
}

export type ProgressMode = 'auto' | 'plain' | 'tty' | 'quiet'

export const PROGRESS_MODES: readonly ProgressMode[] = ['auto', 'plain', 'tty', 'quiet']

/** Redraws a second at most ten times. */
const TICK = 100

/** A progress view on standard error, with its timer running until `close`. */
export async function openProgress(mode: ProgressMode, shell: Shell): Promise<Progress> {
  const view = await createView(chooseMode(mode, shell), shell)
  const timer = setInterval(() => view.tick(), TICK)
  timer.unref()
  return {
    handle: (event) => view.handle(event),
    tick: () => view.tick(),
    close: () => {
      clearInterval(timer)
      view.close()
    },
  }
}

/** `auto` is `tty` on a terminal that can move its cursor; a `tty` elsewhere becomes `plain`. */
export function chooseMode(
  mode: ProgressMode,
  shell: Pick<Shell, 'env' | 'stderr'>,
): Exclude<ProgressMode, 'auto'> {
  if (mode === 'plain' || mode === 'quiet') return mode
  const capable = shell.stderr.isTTY === true && (shell.env.TERM ?? '') !== 'dumb'
  return capable ? 'tty' : 'plain'
}

async function createView(mode: Exclude<ProgressMode, 'auto'>, shell: Shell): Promise<Progress> {
  if (mode === 'quiet') return SILENT
  const options: ProgressOptions = {
    write: (text) => {
      shell.stderr.write(text)
    },
    now: () => performance.now(),
    limits: logLimits(shell.env),
  }
  if (mode === 'plain') {
    const { PlainProgress } = await import('./plain-progress.ts')
    return new PlainProgress(options)
  }
  const { openTty } = await import('./tty-progress.ts')
  return openTty(options, shell)
}

const SILENT: Progress = {
  handle: () => undefined,
  tick: () => undefined,
  close: () => undefined,
}

/** BuildKit's variables for what is shown of one step, in bytes; -1 is no limit. */
function logLimits(env: Shell['env']): LogLimits {
  return {
    size: integerOr(env.BUILDKIT_STEP_LOG_MAX_SIZE, LOG_LIMITS.size),
    speed: integerOr(env.BUILDKIT_STEP_LOG_MAX_SPEED, LOG_LIMITS.speed),
  }
}

function integerOr(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^(?:-1|\d{1,15})$/.test(text) ? Number(text) : otherwise
}
