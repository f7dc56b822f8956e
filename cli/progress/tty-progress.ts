import type { BuildFact } from '#core'
import type { Shell, TextOutput } from '../terminal/shell.ts'
import { displayWidth } from '../terminal/width.ts'
import type { Progress, ProgressOptions } from './progress.ts'
import { BuildScreen, type FrameSize } from './tty-frame.ts'

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_LINE_END = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
const COLOR_CODES = /\x1b\[\d*m/g

/**
 * A live view: the frame is drawn over the one before, with a single write.
 * @internal
 */
export class TtyProgress implements Progress {
  readonly #write: (text: string) => void
  readonly #now: () => number
  readonly #size: () => FrameSize
  readonly #screen: BuildScreen
  #shown: readonly string[] = []
  #closed = false

  /** `size` is asked for before each frame: a terminal may be resized at any time. */
  constructor(options: ProgressOptions, size: () => FrameSize) {
    this.#write = options.write
    this.#now = options.now
    this.#size = size
    this.#screen = new BuildScreen(options.now())
  }

  handle(event: BuildFact): void {
    this.#screen.apply(event, this.#now())
  }

  tick(): void {
    if (this.#closed) return
    const size = this.#size()
    // The last row stays free, or the newline after it would scroll the frame away.
    const frame = this.#screen.frame(this.#now(), { ...size, rows: Math.max(2, size.rows - 1) })
    this.#draw(frame, size, HIDE_CURSOR)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const size = this.#size()
    this.#draw(this.#screen.lastFrame(this.#now(), size), size, '')
    this.restore()
  }

  /** Makes the cursor visible again. */
  restore(): void {
    this.#write(SHOW_CURSOR)
  }

  #draw(frame: readonly string[], size: FrameSize, before: string): void {
    const up = rowsOf(this.#shown, size.columns)
    const home = up === 0 ? '\r' : `\x1b[${up}A\r`
    this.#write(
      before + home + frame.map((line) => `${line}${CLEAR_LINE_END}\n`).join('') + CLEAR_BELOW,
    )
    this.#shown = frame
  }
}

/** Rows that lines take after the terminal may have become narrower than they were drawn for. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => {
    const width = displayWidth(line.replaceAll(COLOR_CODES, ''))
    return rows + Math.max(1, Math.ceil(width / columns))
  }, 0)
}

/** A live view on standard error that gives the cursor back however the process ends. */
export function openTty(options: ProgressOptions, shell: Pick<Shell, 'env' | 'stderr'>): Progress {
  const color = (shell.env.NO_COLOR ?? '') === ''
  const view = new TtyProgress(options, () => sizeOf(shell.stderr, color))
  const restore = (): void => view.restore()
  const suspend = (): void => {
    view.restore()
    process.kill(process.pid, 'SIGSTOP')
  }
  process.once('exit', restore)
  process.on('SIGTSTP', suspend)
  return {
    handle: (event) => view.handle(event),
    tick: () => view.tick(),
    close: () => {
      process.off('exit', restore)
      process.off('SIGTSTP', suspend)
      view.close()
    },
  }
}

function sizeOf(stream: TextOutput, color: boolean): FrameSize {
  // The terminals of script(1) and of CI runners have the size 0.
  return { columns: Math.max(20, stream.columns || 80), rows: stream.rows || 24, color }
}
