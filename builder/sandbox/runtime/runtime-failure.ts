import { TsbuildError } from '#core'
import type { RuntimeProgram } from './runtime-program.ts'

/** How a runtime has failed. */
export interface RuntimeFailure {
  readonly exitCode: number
  /** What it has logged: a JSON document a line, or text. */
  readonly log: string
}

/** Characters of what a runtime says that are passed on. */
const LONGEST = 1000

/** The failure of a runtime to start a container: this host or the runtime does not go with steps. */
export function runtimeError(
  { kind, path, version }: RuntimeProgram,
  { exitCode, log }: RuntimeFailure,
): TsbuildError {
  const reason = lastMessage(log) ?? `exit code ${exitCode}`
  return new TsbuildError(
    `start the step by ${path} (${kind} ${version}): ${reason.slice(0, LONGEST)}`,
    {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'try another runtime, or build without --runtime: steps then need no program',
    },
  )
}

/** What it says last is what has ended it. */
function lastMessage(log: string): string | undefined {
  const messages = log.split('\n').flatMap((line) => messageOf(line) ?? [])
  return messages.at(-1)
}

function messageOf(line: string): string | undefined {
  if (line.trim() === '') return undefined
  try {
    const { msg, level } = JSON.parse(line)
    return level === 'warning' || level === 'debug' || typeof msg !== 'string' ? undefined : msg
  } catch {
    return line
  }
}
