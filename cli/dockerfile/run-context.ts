import { type ContextListing, listContext, resolveRoot } from '#builder'
import { throwIfCancelled } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { contextJson, verdictsJson } from '../reports/context-json.ts'
import { contextText, verdictsText } from '../reports/context-text.ts'
import { print, type Shell } from '../terminal/shell.ts'

/** Characters that are printed at a time. */
const CHUNK = 1 << 16

/** `tsbuild context` */
export async function runContext(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild context [flags] [CONTEXT]'
  const [context = '.'] = expectArguments(args, { least: 0, most: 1, usage })
  const format = formatOf(args, ['text', 'json'])
  const file = args.text('file')
  const root = args.text('root') ?? resolveRoot(shell.env)
  const source = file === '-' ? { dockerfile: '' } : file === undefined ? {} : { file }
  using listing = listContext({ context, root, ...source })
  await printAll(reportOf(listing, { context, format, paths: args.list('explain') }), shell)
  return 0
}

interface Report {
  readonly context: string
  readonly format: 'text' | 'json'
  /** Explained instead of listing everything. */
  readonly paths: readonly string[]
}

function reportOf(listing: ContextListing, report: Report): Iterable<string> {
  const { context, format, paths } = report
  if (paths.length === 0) {
    return format === 'json' ? contextJson(listing, context) : contextText(listing, context)
  }
  const verdicts = paths.map((path) => listing.explain(path))
  const { ignoreFile } = listing
  return format === 'json' ? verdictsJson(verdicts, ignoreFile) : verdictsText(verdicts, ignoreFile)
}

/** In few writes, each waited for: a listing may have a hundred thousand lines. */
async function printAll(lines: Iterable<string>, shell: Shell): Promise<void> {
  let chunk = ''
  for (const line of lines) {
    chunk += line
    if (chunk.length < CHUNK) continue
    await print(shell, chunk)
    throwIfCancelled(shell.signal, 'list the context')
    chunk = ''
  }
  await print(shell, chunk)
}
