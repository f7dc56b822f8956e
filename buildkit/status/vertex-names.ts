/** The vertices of which BuildKit makes one: layers that are fetched for a step, and what one output does. */
const PULL = /^pull (.+)$/s
const OUTPUT = /^(output \d+) (?:exporting|pushing) /
const CACHE = /^(cache \d+) (?:layers$|to )/

export function isPull(id: string): boolean {
  return PULL.test(id)
}

/** The vertex that fetches layers for another one. */
export function pullOf(id: string): string {
  return `pull ${id}`
}

/** Whether it is about a cache elsewhere, without which a build goes on. */
export function isCache(id: string): boolean {
  return id.startsWith('cache ')
}

/** The ID of the vertex that clients see. */
export function vertexIdOf(id: string): string {
  return PULL.exec(id)?.[1] ?? OUTPUT.exec(id)?.[1] ?? CACHE.exec(id)?.[1] ?? id
}

/** By the type of output. */
const OUTPUT_NAMES: ReadonlyMap<string, string> = new Map([
  ['local', 'exporting to client directory'],
  ['tar', 'exporting to client tarball'],
])

/** What BuildKit calls a vertex. */
export function clientName(
  id: string,
  name: string,
  { hasPlatforms }: { readonly hasPlatforms: boolean },
): string {
  if (OUTPUT.test(id)) {
    if (name.startsWith('pushing ')) return 'exporting to image'
    return OUTPUT_NAMES.get(name.replace(/^exporting to /, '')) ?? name
  }
  if (CACHE.test(id)) return cacheName(name)
  const imported = /^importing cache from (.+)$/s.exec(name)?.[1]
  if (imported !== undefined) return `importing cache manifest from ${imported}`
  const platform = /^metadata .* (\S+)$/.exec(id)?.[1]
  if (!hasPlatforms || platform === undefined) return name
  return name.replace(/^\[internal\]/, `[${platform} internal]`)
}

/** @param type of output, of which a client gets files */
export function outputName(type: string): string {
  return OUTPUT_NAMES.get(type) ?? `exporting to ${type} image format`
}

/** By the name of the cache: a folder has a path, and an object store a word for its kind. */
function cacheName(name: string): string {
  const to = name.replace(/^(?:exporting cache|sending layers) to /, '')
  if (to.startsWith('/') || to.startsWith('.')) return 'exporting cache to client directory'
  return to.includes(' ') ? `exporting cache to ${to}` : 'exporting cache to registry'
}
