import type { Outline, OutlineArg, OutlineMount, SourceFile, Target } from '#parser'
import { sourceLocation } from './source-location.ts'

/** The requests that `--call` knows, as BuildKit names them. */
export const REQUESTS: readonly (readonly [string, string])[] = [
  ['subrequests.describe', 'List what can be asked about a Dockerfile'],
  ['lint', 'Run the build checks'],
  ['outline', 'List what can be given to the build of a target'],
  ['targets', 'List the stages that can be built'],
]
export const REQUEST_VERSION = '1.0.0'

/** What can be given to the build of a target; what is empty is left out. */
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

/** The stages that can be built. */
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

/** What `--call` can ask for. */
export function requestsJson(): string {
  return json(
    REQUESTS.map(([name, description]) => ({
      name: `frontend.${name}`,
      version: REQUEST_VERSION,
      type: 'rpc',
      description,
    })),
  )
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
