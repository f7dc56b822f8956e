import {
  type ContextEntry,
  type ContextListing,
  ContextSummary,
  type ContextVerdict,
} from '#builder'
import { cleanLine, formatBytes, formatCount } from '../terminal/text.ts'

const SIZE = 10

/** A line for everything but folders, then what it adds up to and what the rules did. */
export function* contextText(listing: ContextListing, context: string): Generator<string> {
  const summary = new ContextSummary()
  for (const entry of listing.entries()) {
    summary.add(entry)
    if (entry.type !== 'directory') yield entryLine(entry)
  }
  yield* totalLines(summary, listing, context)
  yield* ruleLines(listing)
}

/** What became of each path, and the lines that say so. */
export function* verdictsText(
  verdicts: readonly ContextVerdict[],
  ignoreFile: string | undefined,
): Generator<string> {
  for (const verdict of verdicts) {
    const { path, type, rules } = verdict
    const missing = type === undefined ? ' (there is no such file)' : ''
    yield `${cleanLine(path)}: ${meaningOf(verdict, ignoreFile)}${missing}\n`
    for (const rule of rules) {
      const mark = rule === rules.at(-1) ? '>' : ' '
      yield `  ${mark} ${cleanLine(`${ignoreFile}:${rule.line}: ${rule.pattern}`)}\n`
    }
  }
}

function meaningOf({ verdict, rules }: ContextVerdict, ignoreFile: string | undefined): string {
  switch (verdict) {
    case 'ignored':
      return 'ignored'
    case 'parent':
      return 'included, but only for what is included in it again'
    case 'store':
      return 'ignored: the local store is never part of a context'
    case 'included':
      if (ignoreFile === undefined) return 'included: there is no ignore file'
      return rules.length === 0
        ? `included: no line of ${cleanLine(ignoreFile)} matches`
        : 'included'
  }
}

function entryLine({ path, type, size, rule }: ContextEntry): string {
  const shown = type === 'file' ? formatBytes(size) : type
  const why = rule === undefined ? '' : `  (line ${rule.line}: ${rule.pattern})`
  return `${shown.padStart(SIZE)}  ${cleanLine(path + why)}\n`
}

function* totalLines(
  summary: ContextSummary,
  { ignoreFile }: ContextListing,
  context: string,
): Generator<string> {
  const { files, directories, bytes } = summary
  const parts = [formatCount(files, 'file'), formatCount(directories, 'folder'), formatBytes(bytes)]
  yield `\n${cleanLine(context)}: ${parts.join(', ')}; ignore file: ${cleanLine(ignoreFile ?? 'none')}\n`
  const folders = summary.folders()
  if (folders.length < 2) return
  yield '\nFolders, the largest first:\n'
  for (const folder of folders) {
    const path = folder.path === '.' ? '(files at the top)' : folder.path
    yield `${formatBytes(folder.bytes).padStart(SIZE)}  ${cleanLine(path)}, ${formatCount(folder.files, 'file')}\n`
  }
  yield '\nLargest files:\n'
  for (const { path, size } of summary.largest()) {
    yield `${formatBytes(size).padStart(SIZE)}  ${cleanLine(path)}\n`
  }
}

/** How often each rule decided: one that never did is probably not what was meant. */
function* ruleLines({ rules }: ContextListing): Generator<string> {
  if (rules.length === 0) return
  yield '\nRules, with how many paths each decided on (an ignored folder is one path):\n'
  for (const [{ line, pattern, isException }, paths] of rules) {
    const did = paths === 0 ? 'nothing' : `${isException ? 'keeps' : 'ignores'} ${paths}`
    yield `${cleanLine(`  line ${String(line).padStart(3)}: ${did.padEnd(14)} ${pattern}`)}\n`
  }
}
