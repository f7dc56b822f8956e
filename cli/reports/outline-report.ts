import type { Outline, OutlineArg, OutlineMount, SourceFile, Target } from '#parser'
import { cleanLine } from '../terminal/text.ts'
import { displayWidth, padToWidth } from '../terminal/width.ts'
import { sourceLocation } from './source-location.ts'

/** The requests that `--call` knows, as BuildKit names them. */
const REQUESTS: readonly (readonly [string, string])[] = [
  ['subrequests.describe', 'List what can be asked about a Dockerfile'],
  ['lint', 'Run the build checks'],
  ['outline', 'List what can be given to the build of a target'],
  ['targets', 'List the stages that can be built'],
]
const VERSION = '1.0.0'

/** What can be given to the build of a target, for people. */
export function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const target = [
    ...(name === undefined ? [] : [['TARGET:', name]]),
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ]
  const blocks = [
    table(target, 1),
    listing(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    listing(['SECRET', 'REQUIRED'], secrets.map(mountRow)),
    listing(['SSH', 'REQUIRED'], ssh.map(mountRow)),
  ]
  return blocks.flatMap((block) => (block === '' ? [] : [`${block}\n`])).join('')
}

/** The same for programs; what is empty is left out. */
export function outlineJson(outline: Outline, source: SourceFile): string {
  const { name, description, args, secrets, ssh, caches } = outline
  return json({
    name,
    description,
    args: someOf(args.map(argJson)),
    secrets: someOf(secrets.map(mountJson)),
    ssh: someOf(ssh.map(mountJson)),
    cache: someOf(caches.map((cache) => ({ ID: cache.name }))),
    sources: sourcesOf(source),
  })
}

/** The stages that can be built, for people. */
export function targetsText(targets: readonly Target[]): string {
  const rows = targets.map(({ name, isDefault, description = '' }) => {
    const mark = isDefault ? '(default)' : ''
    return [[name ?? '', mark].filter((part) => part !== '').join(' '), description]
  })
  return listing(['TARGET', 'DESCRIPTION'], rows)
}

/** The same for programs. */
export function targetsJson(targets: readonly Target[], source: SourceFile): string {
  const list = targets.map(({ name, isDefault, description, base, platform, range }) => ({
    name,
    default: isDefault || undefined,
    description,
    base,
    platform,
    location: sourceLocation([range]),
  }))
  return json({ targets: list, sources: sourcesOf(source) })
}

/** What `--call` can ask for, for people. */
export function requestsText(): string {
  const rows = REQUESTS.map(([name, description]) => [name, VERSION, description])
  return table([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1)
}

/** The same for programs. */
export function requestsJson(): string {
  return json(
    REQUESTS.map(([name, description]) => ({
      name: `frontend.${name}`,
      version: VERSION,
      type: 'rpc',
      description,
    })),
  )
}

function mountRow({ name, isRequired }: OutlineMount): readonly string[] {
  return [name, isRequired ? 'true' : '']
}

function argJson({ name, description, value, range }: OutlineArg): object {
  return { name, description, value: value || undefined, location: sourceLocation([range]) }
}

function mountJson({ name, isRequired, range }: OutlineMount): object {
  return { name, required: isRequired || undefined, location: sourceLocation([range]) }
}

function someOf<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items
}

function sourcesOf({ text }: SourceFile): readonly string[] {
  return [Buffer.from(text).toString('base64')]
}

function json(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function listing(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : table([head, ...rows], 3)
}

/** Columns as wide as their widest cell, `gap` spaces apart. */
function table(rows: readonly (readonly string[])[], gap: number): string {
  const clean = rows.map((row) => row.map(cleanLine))
  const widths = (clean[0] ?? []).map((_, column) => {
    return Math.max(...clean.map((row) => displayWidth(row[column] ?? '')))
  })
  return clean
    .map((row) => {
      const cells = row.map((cell, column) => padToWidth(cell, (widths[column] ?? 0) + gap))
      return `${cells.join('').trimEnd()}\n`
    })
    .join('')
}
