import { basename } from 'node:path'
import { gitSourceName, httpSourceName } from '#builder/fetch'
import type { Settings } from '#builder/options'
import type { Plan } from '#builder/plan'
import { type Json, type JsonObject, withoutCredentials } from '#core'
import { shownValue } from './redact.ts'

type NamedSource = Settings['contexts'] extends ReadonlyMap<string, infer S> ? S : never

/** How a machine reaches others is no parameter of what is built. */
const PROXY = /^(?:https?|ftp|no|all)_proxy$/i

/** What the user asked for, by the names that BuildKit's requests have. */
export function requestArgs(settings: Settings): Readonly<Record<string, string>> {
  const { buildArgs, labels, target, file, contexts, network } = settings
  const built = Object.entries(buildArgs).filter(([name]) => !PROXY.test(name))
  const args: readonly (readonly [string, string | undefined])[] = [
    ...built.map(([name, value]) => [`build-arg:${name}`, shownValue(name, value)] as const),
    ...Object.entries(labels).map(([name, value]) => [`label:${name}`, value] as const),
    ...[...contexts].map(
      ([name, source]) => [`context:${name}`, sourceName(source, name)] as const,
    ),
    ['target', target],
    ['filename', file === undefined ? undefined : fileName(settings, file)],
    ['force-network-mode', network === 'default' ? undefined : network],
    ['no-cache', freshOf(settings)],
  ]
  const given = args.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return Object.fromEntries(given)
}

/** The names of folders of the client: the context, that of the Dockerfile, and named ones. */
export function localFolders({ context, contexts }: Settings): readonly string[] {
  const named = [...contexts].flatMap(([name, { kind }]) => (kind === 'folder' ? [name] : []))
  return [...(context.kind === 'folder' ? ['context', 'dockerfile'] : []), ...named]
}

/** The ids of secrets and agents that steps use; nothing of what they are. */
export function secretsOf({ vertices }: Plan): JsonObject {
  const [secrets, ssh] = [new Map<string, boolean>(), new Map<string, boolean>()]
  for (const vertex of vertices.values()) {
    if (vertex.op !== 'exec') continue
    for (const mount of vertex.mounts) {
      if (mount.kind !== 'secret' && mount.kind !== 'ssh') continue
      const ids = mount.kind === 'secret' ? secrets : ssh
      ids.set(mount.id, (ids.get(mount.id) ?? false) || mount.required)
    }
  }
  const listed = (ids: ReadonlyMap<string, boolean>): Json =>
    Array.from(ids, ([id, required]) => (required ? { id } : { id, optional: true }))
  return {
    ...(secrets.size === 0 ? {} : { secrets: listed(secrets) }),
    ...(ssh.size === 0 ? {} : { ssh: listed(ssh) }),
  }
}

/** A path of this machine says nothing elsewhere. */
function fileName({ context }: Settings, file: string): string {
  return context.kind === 'folder' && !/^https?:/i.test(file)
    ? basename(file)
    : withoutCredentials(file)
}

function sourceName(source: NamedSource, name: string): string {
  switch (source.kind) {
    case 'image':
      return source.name.startsWith('oci-layout://')
        ? `oci-layout://${basename(source.name)}`
        : `docker-image://${source.name}`
    case 'stage':
      return `target:${source.name}`
    case 'folder':
      return `local:${name}`
    case 'git':
      return gitSourceName(source.source)
    case 'http':
      return httpSourceName(source.source)
  }
}

/** Empty for all steps. */
function freshOf({ fresh }: Settings): string | undefined {
  if (fresh === 'all') return ''
  return fresh.length === 0 ? undefined : fresh.map(({ text }) => text).join(',')
}
