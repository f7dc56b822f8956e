import type { LayerCompression, Output } from '#builder'
import { usageError } from './flags.ts'
import { unsupportedError } from './later-flags.ts'

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

const PACKED = ['compression', 'rewrite-timestamp']

/**
 * Every type that `--output` can name, in the order of the help. A type of the library that has no entry
 * is for programs only.
 */
export const OUTPUT_TYPES: Readonly<Record<string, OutputType>> = {
  store: {
    keys: ['name', 'rewrite-timestamp'],
    help: [['type=store', 'The local store']],
    outputs: (settings) => [{ type: 'store', ...times(settings) }],
  },
  image: {
    keys: ['name', 'push', ...PACKED],
    help: [['type=image[,push=true]', 'The local store and, with push, the registries']],
    outputs: (settings) => {
      const stored: Output = { type: 'store', ...times(settings) }
      const pushed: Output = { type: 'registry', ...packed(settings) }
      return readSwitch(settings, 'push', false) ? [stored, pushed] : [stored]
    },
  },
  registry: {
    keys: ['name', ...PACKED],
    help: [['type=registry', 'The registries in the names of the image']],
    outputs: (settings) => [{ type: 'registry', ...packed(settings) }],
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
    keys: ['dest', 'mode'],
    help: [
      ['type=local,dest=FOLDER', 'The files of the result; FOLDER alone means the same'],
      ['mode=delete', 'Removes from FOLDER what the result does not have'],
    ],
    outputs: (settings) => {
      const dest = destOf(settings)
      if (dest !== undefined) return [{ type: 'local', dest, ...localMode(settings.get('mode')) }]
      throw usageError('output type=local needs a dest', 'write --output type=local,dest=PATH')
    },
  },
  tar: {
    keys: ['dest'],
    help: [['type=tar,dest=FILE', 'A tar of the files; - alone writes it to standard output']],
    outputs: (settings) => [{ type: 'tar', dest: destOf(settings) ?? '-' }],
  },
}

const COMPRESSIONS: readonly LayerCompression[] = ['uncompressed', 'gzip', 'zstd']

function destOf(settings: OutputSettings): string | undefined {
  return settings.get('dest') || undefined
}

function folder(settings: OutputSettings): { readonly tar?: false } {
  return readSwitch(settings, 'tar', true) ? {} : { tar: false }
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

function times(settings: OutputSettings): { readonly rewriteTimestamp?: true } {
  return readSwitch(settings, 'rewrite-timestamp', false) ? { rewriteTimestamp: true } : {}
}

function packed(settings: OutputSettings): {
  readonly compression?: LayerCompression
  readonly rewriteTimestamp?: true
} {
  const compression = parseCompression(settings.get('compression'))
  return { ...(compression === undefined ? {} : { compression }), ...times(settings) }
}

function localMode(text: string | undefined): { readonly mode?: 'delete' } {
  if (text === undefined || text === 'copy') return {}
  if (text === 'delete') return { mode: text }
  throw usageError(`invalid local exporter mode ${JSON.stringify(text)}`, 'choose copy or delete')
}

function parseCompression(text: string | undefined): LayerCompression | undefined {
  if (text === undefined) return undefined
  if (text === 'estargz')
    throw unsupportedError('compression=estargz is not supported yet', 'use gzip')
  const found = COMPRESSIONS.find((name) => name === text)
  if (found !== undefined) return found
  throw usageError(`unknown compression "${text}"`, `choose one of ${COMPRESSIONS.join(', ')}`)
}

function readSwitch(settings: OutputSettings, key: string, otherwise: boolean): boolean {
  const text = settings.get(key)
  if (text === undefined) return otherwise
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw usageError(`invalid value "${text}" for the output option ${key}`, 'write true or false')
}
