import {
  type ContextEntry,
  type ContextListing,
  ContextSummary,
  type ContextVerdict,
} from '#builder'
import type { IgnoreRule } from '#parser'

/** One JSON document, an entry a line, that is written while the context is walked. */
export function* contextJson(listing: ContextListing, context: string): Generator<string> {
  const summary = new ContextSummary()
  yield `{"context":${JSON.stringify(context)},"ignoreFile":${JSON.stringify(listing.ignoreFile ?? null)},\n"entries":[`
  let separator = '\n'
  for (const entry of listing.entries()) {
    summary.add(entry)
    yield `${separator}${JSON.stringify(entryRecord(entry))}`
    separator = ',\n'
  }
  const { files, directories, bytes } = summary
  const rest = {
    total: { files, directories, bytes },
    folders: summary.folders(),
    largest: summary.largest().map(({ path, size }) => ({ path, size })),
    rules: listing.rules.map(([rule, paths]) => ({ ...ruleRecord(rule), paths })),
  }
  yield `\n],\n${JSON.stringify(rest, undefined, 1).slice(2)}\n`
}

/** An array with an object for each path, in the order asked for. */
export function verdictsJson(
  verdicts: readonly ContextVerdict[],
  ignoreFile: string | undefined,
): Iterable<string> {
  const records = verdicts.map(({ path, type, verdict, rules }) => ({
    path,
    exists: type !== undefined,
    type,
    included: verdict === 'included' || verdict === 'parent',
    verdict,
    ignoreFile: ignoreFile ?? null,
    rules: rules.map(ruleRecord),
  }))
  return [`${JSON.stringify(records, undefined, 2)}\n`]
}

function entryRecord({ path, type, size, rule }: ContextEntry): object {
  return { path, type, size, ...(rule === undefined ? {} : { rule: ruleRecord(rule) }) }
}

function ruleRecord({ pattern, line, isException }: IgnoreRule): object {
  return { pattern, line, exception: isException }
}
