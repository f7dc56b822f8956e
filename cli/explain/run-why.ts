import { resolve } from 'node:path'
import { explainTrace, readTrace, type Trace } from '#builder/explain'
import type { Store } from '#cache'
import { TsbuildError, usageError } from '#core'
import { type Arguments, formatOf } from '../arguments/flags.ts'
import { openLocalStore } from '../images/local-store.ts'
import { note, print, type Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'
import { askedStepsText, explanationText } from './explanation-text.ts'
import { explanationJson } from './open-explanation.ts'
import { findSteps } from './step-query.ts'

const USAGE = 'tsbuild cache why [flags] [STEP]'

/** `tsbuild cache why` */
export async function runWhy(args: Arguments, shell: Shell): Promise<number> {
  const [verb, ...words] = args.positionals
  if (verb !== 'why')
    throw usageError(`tsbuild cache ${verb ?? ''}: no such question`, `usage: ${USAGE}`)
  const format = formatOf(args, ['text', 'json'])
  await using store = openLocalStore(args, shell)
  const trace = latestTrace(args, store)
  const step = words.join(' ')
  const ids = step === '' ? undefined : new Set(findSteps(step, trace.vertices).map(({ id }) => id))
  const explanation = await explainTrace(trace, store, ids)
  if (format === 'json') {
    await print(shell, explanationJson(explanation))
    return 0
  }
  const { context, dockerfile, time } = explanation
  note(shell, cleanLine(`build of ${context} with ${dockerfile}, ${time}`))
  await print(
    shell,
    ids === undefined ? explanationText(explanation) : askedStepsText(explanation.steps),
  )
  return 0
}

/**
 * The latest build that ran a step: of the context that is named, else of the current folder, else of all.
 * @throws {TsbuildError} NOT_FOUND
 */
function latestTrace(args: Arguments, { traces }: Store): Trace {
  const [context, file] = [args.text('context'), args.text('file')]
  const dockerfile = file === undefined ? undefined : resolve(file)
  const named = context === undefined ? [] : [resolve(context), context]
  const contexts = context === undefined ? [process.cwd(), undefined] : named
  for (const one of contexts) {
    const [stored] = traces.find({ context: one, dockerfile, limit: 1 })
    const trace = stored && readTrace(stored)
    if (trace !== undefined) return trace
  }
  const what = context === undefined ? '' : ` of ${context}`
  throw new TsbuildError(`no build${what} is remembered in which a step ran`, {
    code: 'NOT_FOUND',
    hint: 'builds are remembered from now on, by the store that they use: name it with --root',
  })
}
