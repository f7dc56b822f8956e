import type { Shell } from '../terminal/shell.ts'
import { type Progress, type ProgressMode, type ProgressOptions, TICK } from './progress.ts'
import { LOG_LIMITS, type LogLimits } from './step-output.ts'

/** A progress view on standard error, with its timer running until `close`. */
export async function openProgress(mode: ProgressMode, shell: Shell): Promise<Progress> {
  const view = await createView(chooseMode(mode, shell), shell, () => performance.now())
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
  if (mode !== 'auto' && mode !== 'tty') return mode
  const capable = shell.stderr.isTTY === true && (shell.env.TERM ?? '') !== 'dumb'
  return capable ? 'tty' : 'plain'
}

/** A view without a timer, which shows times of the clock `now`. */
export async function createView(
  mode: Exclude<ProgressMode, 'auto'>,
  shell: Pick<Shell, 'env' | 'stderr'>,
  now: () => number,
): Promise<Progress> {
  if (mode === 'quiet') return SILENT
  const write = (text: string): void => void shell.stderr.write(text)
  if (mode === 'rawjson') {
    const { RawJsonProgress } = await import('./rawjson-progress.ts')
    return new RawJsonProgress(write)
  }
  const options: ProgressOptions = { write, now, limits: logLimits(shell.env) }
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

/** BuildKit's variables for what is shown of one step, in bytes; -1 means unlimited. */
function logLimits(env: Shell['env']): LogLimits {
  return {
    size: integerOr(env.BUILDKIT_STEP_LOG_MAX_SIZE, LOG_LIMITS.size),
    speed: integerOr(env.BUILDKIT_STEP_LOG_MAX_SPEED, LOG_LIMITS.speed),
  }
}

function integerOr(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^(?:-1|\d{1,15})$/.test(text) ? Number(text) : otherwise
}
