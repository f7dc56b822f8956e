import { firstFailure } from '#core'
import { EngineError } from '#engine/client'
import type { Arguments } from '../../arguments/flags.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { type Engine, openEngine } from './engine.ts'

/** Runs something with the daemon of a command. What the daemon refuses is reported as docker does, with exit code 1. */
export async function withEngine(
  args: Arguments,
  shell: Shell,
  work: (engine: Engine) => Promise<number>,
): Promise<number> {
  using engine = await openEngine(args, shell)
  try {
    return await work(engine)
  } catch (failure) {
    const cause = firstFailure(failure)
    if (!(cause instanceof EngineError)) throw cause
    note(shell, daemonMessage(cause))
    return 1
  }
}

/** What a daemon refused, as docker writes it. */
export function daemonMessage({ message }: EngineError): string {
  return cleanText(`Error response from daemon: ${message}`)
}

/**
 * Does the same for each of several names. What the daemon refuses is reported at the end, and does not stop the
 * others.
 * @returns the exit code
 */
export async function forEachName(
  names: readonly string[],
  shell: Shell,
  work: (name: string) => Promise<void>,
): Promise<number> {
  const messages: string[] = []
  for (const name of names) {
    try {
      await work(name)
    } catch (cause) {
      if (!(cause instanceof EngineError)) throw cause
      messages.push(daemonMessage(cause))
    }
  }
  for (const message of messages) note(shell, message)
  return messages.length === 0 ? 0 : 1
}
