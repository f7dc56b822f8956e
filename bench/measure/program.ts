import { spawnSync } from 'node:child_process'
import { CLEAN_ENVIRONMENT } from '../../test/support/peers/index.ts'
import { median } from './statistics.ts'

type Environment = Readonly<Record<string, string>>

/** Milliseconds that a program takes from start to exit. Throws when it fails. */
export function timeProgram(
  command: string,
  args: readonly string[],
  env: Environment = CLEAN_ENVIRONMENT,
): number {
  const began = performance.now()
  const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return performance.now() - began
}

/** Milliseconds that a program takes from start to exit: the median of the repetitions. */
export function measureProgram(
  command: string,
  args: readonly string[],
  options: { readonly repetitions: number; readonly env?: Environment },
): number {
  const { repetitions, env } = options
  return median(Array.from({ length: repetitions }, () => timeProgram(command, args, env)))
}
