import { usageError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { ProgressMode } from '../progress/progress.ts'
import type { Shell, TextOutput } from '../terminal/shell.ts'

/** How much is said, and in which form. */
export interface LogSettings {
  readonly level: Level
  readonly format: 'text' | 'color' | 'json'
  /** Lines of text begin with the time. */
  readonly timestamps: boolean
}

/** kaniko's levels, the most talkative first. */
const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'fatal', 'panic'] as const
const FORMATS = ['text', 'color', 'json'] as const

type Level = (typeof LEVELS)[number]

/** @throws {TsbuildError} USAGE */
export function parseLogSettings(args: Arguments): LogSettings {
  const wanted = (args.text('verbosity') ?? 'info').toLowerCase()
  const level = LEVELS.find((name) => name === (wanted === 'warn' ? 'warning' : wanted))
  if (level === undefined) {
    const hint = 'choose one of trace, debug, info, warn, error, fatal, panic'
    throw usageError(`not a valid log level: "${wanted}"`, hint)
  }
  const text = args.text('log-format') ?? 'color'
  const format = FORMATS.find((name) => name === text)
  if (format === undefined) {
    throw usageError(`not a valid log format: "${text}"`, `choose one of ${FORMATS.join(', ')}`)
  }
  return { level, format, timestamps: args.has('log-timestamp') }
}

/** What a build says goes through here to standard error. */
export class KanikoLog {
  readonly #settings: LogSettings
  readonly #shell: Shell

  constructor(settings: LogSettings, shell: Shell) {
    this.#settings = settings
    this.#shell = shell
  }

  /** How the steps of the build are shown. */
  get progress(): ProgressMode {
    if (!this.shows('info')) return 'quiet'
    return this.#settings.format === 'color' && !this.#settings.timestamps ? 'auto' : 'plain'
  }

  /** Whether lines of this level are printed. */
  shows(level: Level): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#settings.level)
  }

  say(level: 'info' | 'warning', line: string): void {
    if (this.shows(level)) this.shellAt(level).stderr.write(`${line}\n`)
  }

  /** The shell, with a standard error whose lines are of this level. */
  shellAt(level: Level): Shell {
    const { env, stdin, stdout, stderr, signal, takeTime } = this.#shell
    const debug = this.shows('debug') ? { TSBUILD_DEBUG: '1' } : {}
    return {
      env: { ...env, ...debug },
      stdin,
      stdout,
      stderr: this.#isAsItIs() ? stderr : new Lines(stderr, (line) => this.#lineOf(level, line)),
      ...{ signal, takeTime },
    }
  }

  #isAsItIs(): boolean {
    return this.#settings.format !== 'json' && !this.#settings.timestamps
  }

  #lineOf(level: Level, line: string): string {
    const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    if (this.#settings.format !== 'json') return `${time} ${line}`
    return JSON.stringify({ level, msg: line, time })
  }
}

/** Changes what is written to it line by line. Empty lines are left out. */
class Lines implements TextOutput {
  readonly #to: TextOutput
  readonly #change: (line: string) => string
  #rest = ''

  constructor(to: TextOutput, change: (line: string) => string) {
    this.#to = to
    this.#change = change
  }

  write(written: string): void {
    const lines = (this.#rest + written).split('\n')
    this.#rest = lines.pop() ?? ''
    const text = lines.filter((line) => line !== '').map((line) => `${this.#change(line)}\n`)
    this.#to.write(text.join(''))
  }
}
