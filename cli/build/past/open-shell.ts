import { type DebugOptions, debugStep } from '#builder'
import type { BuildEvent } from '#core'
import { isInteractive, serveTerminal, sizeOf } from '../../terminal/raw-terminal.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { cleanLine } from '../../terminal/text.ts'
import { servePipes } from './serve-pipes.ts'

/** Runs a process in the sandbox of a step, on the terminal of the user if there is one. @returns its exit code */
export async function openShell(
  options: Omit<DebugOptions, 'terminal' | 'onEvent' | 'signal'>,
  shell: Shell,
): Promise<number> {
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'warning') note(shell, `WARNING: ${cleanLine(event.message)}`)
  }
  const common = { ...options, onEvent, signal: shell.signal }
  const { exitCode } = isInteractive(shell)
    ? await debugStep({ ...common, terminal: sizeOf(shell) }, (process) =>
        serveTerminal(process, shell),
      )
    : await debugStep(common, (process) => servePipes(process, shell))
  return exitCode
}
