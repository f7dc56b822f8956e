import { isJsonObject, type Json, type JsonObject } from '#core'
import { EngineError } from '#engine/client'
import type { TextOutput } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { humanSize } from '../format/human.ts'

/**
 * Shows the progress of a pull or an import as docker does: on a terminal a line for each layer that changes in its
 * place, else a line for each thing that is done.
 * @throws {EngineError} for an error in the stream
 */
export async function showProgress(
  messages: AsyncIterable<Json>,
  output: TextOutput,
): Promise<void> {
  const lines = new Map<string, number>()
  for await (const message of messages) {
    if (!isJsonObject(message)) continue
    const failure = errorOf(message)
    if (failure !== undefined) throw new EngineError({ status: 500, message: failure })
    const text = textOf(message, output.isTTY === true)
    if (text !== undefined) output.write(placed(text, message, { lines, output }))
  }
}

function errorOf({ error, errorDetail }: JsonObject): string | undefined {
  const detail = isJsonObject(errorDetail) ? errorDetail.message : undefined
  if (typeof detail === 'string') return detail
  return typeof error === 'string' ? error : undefined
}

/** `undefined` for what is only of interest on a terminal. */
function textOf(message: JsonObject, isTerminal: boolean): string | undefined {
  const { id, status, stream, progressDetail } = message
  if (typeof stream === 'string') return cleanText(stream)
  if (typeof status !== 'string') return undefined
  const bar = progressText(progressDetail)
  if (bar !== undefined && !isTerminal) return undefined
  const head = typeof id === 'string' && id !== '' ? `${id}: ` : ''
  return cleanText(`${head}${status}${bar === undefined ? '' : ` ${bar}`}`)
}

function progressText(detail: Json | undefined): string | undefined {
  if (!isJsonObject(detail)) return undefined
  const [current, total] = [Number(detail.current ?? 0), Number(detail.total ?? 0)]
  if (current <= 0 && total <= 0) return undefined
  if (total <= 0) return humanSize(current, 4)
  return `[${barOf(current / total)}]  ${humanSize(current, 4)}/${humanSize(total, 4)}`
}

const BAR = 50

function barOf(part: number): string {
  const done = Math.min(BAR, Math.floor(part * BAR))
  const bar = '='.repeat(done)
  return done < BAR ? `${bar}>${' '.repeat(BAR - done)}` : bar
}

interface Screen {
  /** Of each layer, how many lines were begun before its own. */
  readonly lines: Map<string, number>
  readonly output: TextOutput
}

const ESCAPE = '\u001b['

/** Moves to the line of a layer and back again. */
function placed(text: string, { id, stream }: JsonObject, { lines, output }: Screen): string {
  if (typeof stream === 'string') return text
  if (output.isTTY !== true || typeof id !== 'string' || id === '') {
    lines.clear()
    return `${text}\n`
  }
  const line = lines.get(id)
  if (line === undefined) {
    lines.set(id, lines.size)
    return `${text}\n`
  }
  const up = lines.size - line
  return `${ESCAPE}${up}A${ESCAPE}2K\r${text}\r${ESCAPE}${up}B`
}
