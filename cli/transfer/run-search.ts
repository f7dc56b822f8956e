import { defaultCredentials } from '#builder'
import { usageError } from '#core'
import { createRegistryClient, type FoundRepository } from '#registry-client'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { note, print, type Shell } from '../terminal/shell.ts'
import { alignedTable } from '../terminal/table.ts'
import { cleanLine } from '../terminal/text.ts'

const HEADINGS = ['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL']
const DEFAULT_LIMIT = 25
const MOST = 100
/** Characters of a description that docker shows. */
const SHOWN = 45

/** `tsbuild search` */
export async function runSearch(args: Arguments, shell: Shell): Promise<number> {
  const usage = 'tsbuild search [flags] [REGISTRY/]TERM'
  const [text = ''] = expectArguments(args, { least: 1, most: 1, usage })
  const format = formatOf(args, ['table', 'json'])
  const matches = filterOf(args.list('filter'))
  const { registry, term } = splitTerm(text)
  await using client = createRegistryClient({
    credentials: defaultCredentials(shell.env),
    insecure: args.list('insecure-registry'),
    onWarning: (message) => note(shell, cleanLine(`WARNING: ${message}`)),
  })
  const limit = limitOf(args)
  const all = await client.search(registry, { term, limit, signal: shell.signal })
  const found = all
    .filter(matches)
    .map((one) => (registry === 'docker.io' ? one : { ...one, name: `${registry}/${one.name}` }))
  if (format === 'json') await print(shell, found.map((one) => `${record(one)}\n`).join(''))
  else await print(shell, searchTable(found, args.has('no-trunc')))
  return 0
}

/** A first part that looks like a host is one, as in names of images. */
function splitTerm(text: string): { readonly registry: string; readonly term: string } {
  const [, host, term = ''] = /^([^/]*[.:][^/]*|localhost)\/(.*)$/.exec(text) ?? []
  if (host === undefined) return { registry: 'docker.io', term: text }
  return { registry: host === 'index.docker.io' ? 'docker.io' : host, term }
}

function limitOf(args: Arguments): number {
  const text = args.text('limit') ?? String(DEFAULT_LIMIT)
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MOST) return limit
  throw usageError(`limit ${text} is outside the range of [1, ${MOST}]`)
}

function filterOf(texts: readonly string[]): (one: FoundRepository) => boolean {
  const tests = texts.map((text) => {
    const [, key, value = ''] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (key === 'is-official' && /^(?:true|false)$/.test(value)) {
      return (one: FoundRepository) => String(one.isOfficial) === value
    }
    if (key === 'stars' && /^\d{1,9}$/.test(value)) {
      return (one: FoundRepository) => one.stars >= Number(value)
    }
    throw usageError(
      `invalid filter "${text}"`,
      'write is-official=true, is-official=false or stars=N',
    )
  })
  return (one) => tests.every((test) => test(one))
}

/** With the names that docker's formats have. */
function record({ name, description, stars, isOfficial }: FoundRepository): string {
  return JSON.stringify({
    Description: description,
    IsOfficial: String(isOfficial),
    Name: name,
    StarCount: String(stars),
  })
}

function searchTable(found: readonly FoundRepository[], isWhole: boolean): string {
  const rows = found.map(({ name, description, stars, isOfficial }) => {
    const line = cleanLine(description)
    const shown = isWhole || line.length <= SHOWN ? line : `${line.slice(0, SHOWN - 1)}…`
    return [cleanLine(name), shown, String(stars), isOfficial ? '[OK]' : '']
  })
  return alignedTable([HEADINGS, ...rows])
}
