import { spawnSync } from 'node:child_process'
import { run } from '../test/support/peers/index.ts'
import type { Builder } from './builders.ts'

/** How often something is measured, and what happens around it. */
export interface Plan {
  readonly repetitions: number
  /** Before every measurement, not timed. */
  readonly before?: (builder: Builder, repetition: number) => Promise<void>
}

/** Milliseconds by builder name: the median of the repetitions. */
export type Times = ReadonlyMap<string, number>

/**
 * Times a build with each builder in turn, again and again, so that a slow minute of the machine
 * falls on all of them. What was written before is on the disk when the clock starts.
 */
export async function measure(
  builders: readonly Builder[],
  context: string,
  plan: Plan,
): Promise<Times> {
  const all = new Map<string, number[]>(builders.map(({ name }) => [name, []]))
  for (let repetition = 0; repetition < plan.repetitions; repetition += 1) {
    for (const builder of builders) {
      await plan.before?.(builder, repetition)
      await run('sync', [])
      const began = performance.now()
      await builder.build(context)
      all.get(builder.name)?.push(performance.now() - began)
    }
  }
  return new Map([...all].map(([name, times]) => [name, median(times)]))
}

/** Milliseconds that a program takes from start to exit: the median of the repetitions. */
export function measureProgram(
  command: string,
  args: readonly string[],
  options: { readonly repetitions: number; readonly env?: Readonly<Record<string, string>> },
): number {
  const times = Array.from({ length: options.repetitions }, () => {
    const began = performance.now()
    const { status, stderr } = spawnSync(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(options.env === undefined ? {} : { env: options.env }),
    })
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
    return performance.now() - began
  })
  return median(times)
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]]
  return (low + high) / 2
}
