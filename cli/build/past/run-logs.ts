import type { LogPiece } from '#cache'
import { throwIfCancelled } from '#core'
import { type RecordedStep, readBuilds } from '#record'
import type { Arguments } from '../../arguments/flags.ts'
import { openLocalStore } from '../../images/local-store.ts'
import { LineSplitter } from '../../progress/step-output.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import { cleanLine, formatBytes } from '../../terminal/text.ts'
import { chooseSteps } from './choose-steps.ts'

/** `tsbuild logs` */
export async function runLogs(args: Arguments, shell: Shell): Promise<number> {
  const [build = '', ...words] = args.positionals
  const isWanted = args.has('failed') ? ({ end }: RecordedStep) => end === 'failed' : () => true
  await using store = openLocalStore(args, shell)
  const choice = { build, step: words.join(' '), isWanted }
  const chosen = chooseSteps(readBuilds(store.builds), choice)
  for (const step of chosen.steps) {
    const pieces = store.builds.output(chosen.build.id, step.id)
    const title = chosen.steps.length === 1 ? undefined : `${step.id} ${step.name}`
    await printOutput(pieces, title, shell)
  }
  return 0
}

/** Nothing for a step that printed nothing. */
async function printOutput(
  pieces: Iterable<LogPiece>,
  title: string | undefined,
  shell: Shell,
): Promise<void> {
  let isFirst = true
  for (const text of outputText(pieces)) {
    if (isFirst && title !== undefined) await print(shell, `${cleanLine(title)}\n`)
    isFirst = false
    await print(shell, text)
    throwIfCancelled(shell.signal, 'print the output')
  }
  if (!isFirst && title !== undefined) await print(shell, '\n')
}

/** Lines as progress shows them. */
function* outputText(pieces: Iterable<LogPiece>): Generator<string, void> {
  const splitter = new LineSplitter()
  const restOf = (): readonly string[] => [splitter.take()].filter((line) => line !== undefined)
  for (const piece of pieces) {
    const lines =
      piece.kind === 'bytes'
        ? splitter.push(piece.bytes)
        : [...restOf(), `[${formatBytes(piece.bytes)} left out]`]
    if (lines.length > 0) yield `${lines.join('\n')}\n`
  }
  for (const line of restOf()) yield `${line}\n`
}
