import type { Healthcheck, JsonObject } from '#core'
import { now } from '#engine/model'

/** Nanoseconds, where neither image nor request says otherwise. Spec: Docker Engine API, HealthConfig */
const DEFAULTS = {
  interval: 30e9,
  timeout: 30e9,
  startPeriod: 0,
  startInterval: 5e9,
  retries: 3,
} as const

/** Results that are shown. */
const MOST = 5
/** Bytes of output of a test that are kept. */
const MOST_OUTPUT = 4096

/** Runs a test in the container. @returns its exit code and the beginning of its output */
export type Probe = (
  command: readonly string[],
  options: { readonly signal: AbortSignal; readonly mostOutput: number },
) => Promise<{ readonly exitCode: number; readonly output: string }>

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy'

interface Result {
  readonly Start: string
  readonly End: string
  readonly ExitCode: number
  readonly Output: string
}

/** The command of a test; `undefined`: there is none. */
export function testOf(
  { Test = [] }: Healthcheck,
  shell: readonly string[] = ['/bin/sh', '-c'],
): readonly string[] | undefined {
  const [kind, ...words] = Test
  if (kind === 'CMD') return words
  return kind === 'CMD-SHELL' ? [...shell, words.join(' ')] : undefined
}

/** Tests a container while it runs. Disposing ends that. */
export class Health implements Disposable {
  readonly #check: Healthcheck
  readonly #command: readonly string[]
  readonly #probe: Probe
  readonly #onChange: (status: HealthStatus) => void
  readonly #ending = new AbortController()
  readonly #results: Result[] = []
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #status: HealthStatus = 'starting'

  /** Begins at once; the first test comes after an interval. */
  constructor(
    check: Healthcheck,
    command: readonly string[],
    {
      probe,
      onChange,
    }: { readonly probe: Probe; readonly onChange: (status: HealthStatus) => void },
  ) {
    this.#check = check
    this.#command = command
    this.#probe = probe
    this.#onChange = onChange
    this.#schedule()
  }

  get status(): HealthStatus {
    return this.#status
  }

  /** `State.Health` */
  document(): JsonObject {
    return {
      Status: this.#status,
      FailingStreak: this.#failures,
      Log: this.#results.map((one) => ({ ...one })),
    }
  }

  /** What does not run is not healthy. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#ending.abort()
    this.#status = 'unhealthy'
  }

  #schedule(): void {
    if (this.#ending.signal.aborted) return
    const { Interval, StartInterval } = this.#check
    const isStarting = this.#status === 'starting' && this.#isInStartPeriod()
    const pause = isStarting
      ? StartInterval || DEFAULTS.startInterval
      : Interval || DEFAULTS.interval
    this.#timer = setTimeout(() => void this.#test(), pause / 1e6)
  }

  #isInStartPeriod(): boolean {
    const period = (this.#check.StartPeriod || DEFAULTS.startPeriod) / 1e6
    return performance.now() - this.#startedAt < period
  }

  async #test(): Promise<void> {
    const result = await this.#run()
    if (this.#ending.signal.aborted) return
    this.#results.push(result)
    if (this.#results.length > MOST) this.#results.shift()
    this.#judge(result.ExitCode === 0)
    this.#schedule()
  }

  /** A failure in the beginning does not count. */
  #judge(isGood: boolean): void {
    if (isGood) {
      this.#failures = 0
      this.#become('healthy')
      return
    }
    if (this.#status === 'starting' && this.#isInStartPeriod()) return
    this.#failures++
    if (this.#failures >= (this.#check.Retries || DEFAULTS.retries)) this.#become('unhealthy')
  }

  #become(status: HealthStatus): void {
    if (this.#status === status) return
    this.#status = status
    this.#onChange(status)
  }

  async #run(): Promise<Result> {
    const Start = now()
    const timeout = (this.#check.Timeout || DEFAULTS.timeout) / 1e6
    const late = AbortSignal.timeout(timeout)
    const signal = AbortSignal.any([late, this.#ending.signal])
    try {
      const found = await this.#probe(this.#command, { signal, mostOutput: MOST_OUTPUT })
      return { Start, End: now(), ExitCode: found.exitCode, Output: found.output }
    } catch (cause) {
      const Output = late.aborted
        ? `Health check exceeded timeout (${formatSpan(timeout)})`
        : cause instanceof Error
          ? cause.message
          : String(cause)
      return { Start, End: now(), ExitCode: -1, Output }
    }
  }
}

/** As Go writes durations below a minute. @param span milliseconds */
function formatSpan(span: number): string {
  return span < 1000 ? `${span}ms` : `${span / 1000}s`
}
