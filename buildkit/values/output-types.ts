import type { LayerCompression, Output } from '#builder/export'
import { unsupportedError, usageError } from '#core'

/** The keys and values of one `--output`. */
export type OutputSettings = ReadonlyMap<string, string>

/** One `type` of `--output`. */
interface OutputType {
  readonly keys: readonly string[]
  /** Lines of the help: how it is written, and what it does. */
  readonly help: readonly (readonly [string, string])[]
  /** What the builder gets. @throws {TsbuildError} USAGE, UNSUPPORTED */
  readonly outputs: (settings: OutputSettings) => readonly Output[]
}

const FORM = ['oci-artifact', 'oci-mediatypes', 'rewrite-timestamp']
const NAMED = ['dangling-name-empty-only', 'dangling-name-prefix', 'name', 'name-canonical']
const PACKED = ['compression', 'compression-level', 'force-compression', ...FORM]
const PUSHED = [...NAMED, 'push-by-digest', 'registry.insecure', 'store', 'unpack', ...PACKED]

/**
 * Every type that `--output` can name, in the order of the help. A type of the library that has no entry
 * is for programs only.
 */
export const OUTPUT_TYPES: Readonly<Record<string, OutputType>> = {
  store: {
    keys: [...NAMED, ...FORM],
    help: [['type=store', 'The local store']],
    outputs: (settings) => [stored(settings)],
  },
  image: {
    keys: ['push', ...PUSHED],
    help: [
      ['type=image[,push=true]', 'The local store and, with push, the registries'],
      ['push-by-digest=true', 'No tags are set in the registries; for registry, too'],
      ['name-canonical=true', 'Names in the store with the digest, too'],
    ],
    outputs: (settings) => {
      if (isOn(settings, 'unpack') && isOn(settings, 'rewrite-timestamp')) {
        throw usageError('exporter option "rewrite-timestamp" conflicts with "unpack"')
      }
      // Mistakes are found in what has no effect, too.
      const [kept, sent] = [stored(settings), pushed(settings)]
      return [
        ...(isOn(settings, 'store', true) ? [kept] : []),
        ...(isOn(settings, 'push') ? [sent] : []),
      ]
    },
  },
  registry: {
    keys: PUSHED,
    help: [['type=registry', 'The registries in the names of the image']],
    outputs: (settings) => [pushed(settings)],
  },
  oci: {
    keys: ['dest', 'name', 'tar', ...PACKED],
    help: [['type=oci,dest=FILE', 'An archive with an OCI layout; a folder with tar=false']],
    outputs: (settings) => [
      { type: 'oci', dest: destOf(settings) ?? '-', ...folder(settings), ...packed(settings) },
    ],
  },
  docker: {
    keys: ['context', 'dest', 'engine', 'name', 'tar', ...PACKED],
    help: [
      ['type=docker', 'Docker, or podman where there is no docker; the same as --load'],
      ['engine=E, context=C', 'One of docker and podman; a docker context'],
      ['type=docker,dest=FILE', 'An archive for docker load; a folder with tar=false'],
    ],
    outputs: (settings) => {
      const dest = destOf(settings)
      if (dest === undefined) return [{ type: 'load', ...loading(settings), ...packed(settings) }]
      return [{ type: 'docker', dest, ...folder(settings), ...packed(settings) }]
    },
  },
  local: {
    keys: ['attestation-prefix', 'dest', 'mode', 'platform-split'],
    help: [
      ['type=local,dest=FOLDER', 'The files of the result; FOLDER alone means the same'],
      ['mode=delete', 'Removes from FOLDER what the result does not have'],
    ],
    outputs: (settings) => {
      const dest = destOf(settings)
      if (dest !== undefined) {
        return [{ type: 'local', dest, ...localMode(settings.get('mode')), ...split(settings) }]
      }
      throw usageError('output type=local needs a dest', 'write --output type=local,dest=PATH')
    },
  },
  tar: {
    keys: ['attestation-prefix', 'dest', 'platform-split'],
    help: [
      ['type=tar,dest=FILE', 'A tar of the files; - alone writes it to standard output'],
      ['platform-split=true', 'A folder for each platform, for local, too; so it is for several'],
    ],
    outputs: (settings) => [{ type: 'tar', dest: destOf(settings) ?? '-', ...split(settings) }],
  },
  cacheonly: {
    keys: [],
    help: [['type=cacheonly', 'Nowhere: steps run, and their results are kept']],
    outputs: () => [],
  },
}

function stored(settings: OutputSettings): Output {
  const prefix = settings.get('dangling-name-prefix')
  const onlyWithoutName = isOn(settings, 'dangling-name-empty-only')
  return {
    type: 'store',
    ...(isOn(settings, 'name-canonical') ? { canonicalNames: true } : {}),
    ...(prefix ? { danglingName: { prefix, onlyWithoutName } } : {}),
    ...form(settings),
  }
}

function pushed(settings: OutputSettings): Output {
  const byDigest = isOn(settings, 'push-by-digest') ? { byDigest: true } : {}
  return { type: 'registry', ...byDigest, ...packed(settings) }
}

function split(settings: OutputSettings): {
  readonly platformSplit?: boolean
  readonly attestationPrefix?: string
} {
  const attestationPrefix = settings.get('attestation-prefix')
  return {
    ...(settings.has('platform-split') ? { platformSplit: isOn(settings, 'platform-split') } : {}),
    ...(attestationPrefix === undefined ? {} : { attestationPrefix }),
  }
}

/** What manifests are to be like; annotations are read where their names still have capitals. */
function form(settings: OutputSettings): {
  readonly rewriteTimestamp?: true
  readonly ociMediaTypes?: false
  readonly ociArtifact?: false
} {
  return {
    ...(isOn(settings, 'rewrite-timestamp') ? { rewriteTimestamp: true } : {}),
    ...(isOn(settings, 'oci-mediatypes', true) ? {} : { ociMediaTypes: false }),
    ...(isOn(settings, 'oci-artifact', true) ? {} : { ociArtifact: false }),
  }
}

const COMPRESSIONS: readonly LayerCompression[] = ['uncompressed', 'gzip', 'zstd', 'zstd:chunked']

function destOf(settings: OutputSettings): string | undefined {
  return settings.get('dest') || undefined
}

function folder(settings: OutputSettings): { readonly tar?: false } {
  return isOn(settings, 'tar', true) ? {} : { tar: false }
}

/** @throws {TsbuildError} USAGE */
export function parseEngine(text: string, where: string): 'docker' | 'podman' {
  if (text === 'docker' || text === 'podman') return text
  throw usageError(`unknown engine ${JSON.stringify(text)} in ${where}`, 'choose docker or podman')
}

function loading(settings: OutputSettings): {
  readonly engine?: 'docker' | 'podman'
  readonly context?: string
} {
  const [engine, context] = [settings.get('engine'), settings.get('context')]
  return {
    ...(engine === undefined ? {} : { engine: parseEngine(engine, 'engine=') }),
    ...(context ? { context } : {}),
  }
}

function packed(settings: OutputSettings): ReturnType<typeof form> & {
  readonly compression?: LayerCompression
  readonly compressionLevel?: number
  readonly forceCompression?: true
} {
  const compression = parseCompression(settings.get('compression'))
  const level = settings.get('compression-level')
  return {
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { compressionLevel: parseLevel(level) }),
    ...(isOn(settings, 'force-compression') ? { forceCompression: true } : {}),
    ...form(settings),
  }
}

function parseLevel(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  throw usageError(`invalid compression-level "${text}"`, 'gzip: 0 to 9, zstd: 1 to 22')
}

function localMode(text: string | undefined): { readonly mode?: 'delete' } {
  if (text === undefined || text === 'copy') return {}
  if (text === 'delete') return { mode: text }
  throw usageError(`invalid local exporter mode ${JSON.stringify(text)}`, 'choose copy or delete')
}

function parseCompression(text: string | undefined): LayerCompression | undefined {
  if (text === undefined) return undefined
  if (text === 'estargz') {
    const hint = 'zstd:chunked does for podman what it is for: single files are fetched'
    throw unsupportedError('layers cannot be packed as estargz', hint)
  }
  const found = COMPRESSIONS.find((name) => name === text)
  if (found !== undefined) return found
  throw usageError(`unknown compression "${text}"`, `choose one of ${COMPRESSIONS.join(', ')}`)
}

/** @throws {TsbuildError} USAGE for what is neither yes nor no */
export function isOn(settings: OutputSettings, key: string, otherwise = false): boolean {
  const text = settings.get(key)
  if (text === undefined) return otherwise
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw usageError(`invalid value "${text}" for the output option ${key}`, 'write true or false')
}
