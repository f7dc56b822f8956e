import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, readDocument, shapes, TsbuildError } from '#core'
import { homeFolder } from '#disk'

/** How a docker daemon is reached. */
export type DockerEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsFiles }
  | { readonly kind: 'ssh'; readonly url: URL }

/** Certificates for a daemon that is reached over TLS: paths of files, of which none has to be there. */
export interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly isVerified: boolean
}

/** What of an endpoint a command line names. */
export interface EndpointChoice {
  /** An address, which counts more than all variables. */
  readonly host?: string | undefined
  /** The name of a docker context. */
  readonly context?: string | undefined
  /** Whether TLS is spoken, and whether the daemon's certificate is checked; else as variables say. */
  readonly tls?: 'off' | 'unverified' | 'verified' | undefined
  /** Files in place of those of the folder of certificates. */
  readonly files?: Partial<Pick<TlsFiles, 'ca' | 'cert' | 'key'>>
}

type Environment = Readonly<Record<string, string | undefined>>

const { any, boolean, map, object, string } = shapes

const CONFIG = object({ currentContext: string })
const CONTEXT = object({
  Endpoints: map(object({ Host: string, SkipTLSVerify: boolean })),
  Metadata: any,
})

/** The context that stands for the variables and the usual socket. */
const DEFAULT_CONTEXT = 'default'

/**
 * The daemon that the user has chosen: by a context, `$DOCKER_HOST`, `$DOCKER_CONTEXT` or docker's settings, as docker's
 * own command line reads them.
 * @returns `undefined` when nothing is chosen
 * @throws {TsbuildError} USAGE for an address that cannot be one, NOT_FOUND for a context that is not there, CONFIG_INVALID
 */
export function chosenEndpoint(
  env: Environment,
  choice: EndpointChoice = {},
): DockerEndpoint | undefined {
  const { host, context } = choice
  const folder = env.DOCKER_CONFIG || join(homeFolder(env), '.docker')
  if (host !== undefined && context !== undefined) {
    throw new TsbuildError('conflicting options: cannot specify both --host and --context', {
      code: 'USAGE',
    })
  }
  const address = host ?? env.DOCKER_HOST
  if (context === undefined && address) return parseEndpoint(address, tlsOf(env, choice))
  const name = context ?? (env.DOCKER_CONTEXT || currentContext(folder))
  if (name !== undefined && name !== DEFAULT_CONTEXT) return endpointOfContext(folder, name)
  return address ? parseEndpoint(address, tlsOf(env, choice)) : undefined
}

const USUAL_SOCKET = '/var/run/docker.sock'

/** Where docker listens unless it is told otherwise, the rootless one as well. */
export function usualSockets({ XDG_RUNTIME_DIR }: Environment): readonly string[] {
  return [USUAL_SOCKET, ...(XDG_RUNTIME_DIR ? [`${XDG_RUNTIME_DIR}/docker.sock`] : [])]
}

/** An endpoint as an error names it. */
export function formatEndpoint(endpoint: DockerEndpoint): string {
  switch (endpoint.kind) {
    case 'unix':
      return `unix://${endpoint.path}`
    case 'tcp':
      return `tcp://${endpoint.host}:${endpoint.port}`
    case 'ssh':
      return `ssh://${endpoint.url.host}`
  }
}

/**
 * `unix://PATH`, `tcp://HOST[:PORT]`, `ssh://[USER@]HOST[:PORT]`.
 * @throws {TsbuildError} USAGE
 */
export function parseEndpoint(text: string, tls: TlsFiles | undefined): DockerEndpoint {
  if (text.startsWith('unix://')) {
    return { kind: 'unix', path: text.slice('unix://'.length) || USUAL_SOCKET }
  }
  const url = URL.parse(text)
  if (url?.protocol === 'ssh:' && url.hostname !== '') return { kind: 'ssh', url }
  if (url !== null && ['tcp:', 'http:', 'https:'].includes(url.protocol) && url.hostname !== '') {
    const isTls = tls !== undefined || url.protocol === 'https:'
    const files = tls ?? { ca: '', cert: '', key: '', isVerified: true }
    return {
      kind: 'tcp',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (isTls ? 2376 : 2375)),
      ...(isTls ? { tls: files } : {}),
    }
  }
  throw new TsbuildError(`invalid address of a docker daemon: ${JSON.stringify(text)}`, {
    code: 'USAGE',
    hint: 'write unix://PATH, tcp://HOST:PORT or ssh://USER@HOST',
  })
}

function tlsOf(env: Environment, { tls, files }: EndpointChoice): TlsFiles | undefined {
  const fromVariables = env.DOCKER_TLS_VERIFY ? 'verified' : env.DOCKER_TLS ? 'unverified' : 'off'
  const chosen = tls ?? fromVariables
  if (chosen === 'off') return undefined
  const folder = env.DOCKER_CERT_PATH || env.DOCKER_CONFIG || join(homeFolder(env), '.docker')
  return { ...filesIn(folder), ...files, isVerified: chosen === 'verified' }
}

function filesIn(folder: string): Omit<TlsFiles, 'isVerified'> {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name))
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' }
}

function currentContext(folder: string): string | undefined {
  const bytes = readIfThere(join(folder, 'config.json'))
  if (bytes === undefined) return undefined
  return readDocument(bytes, CONFIG, reading("docker's config.json")).currentContext || undefined
}

/** Spec: docker's context store, `contexts/meta/<sha256 of the name>/meta.json` */
function endpointOfContext(folder: string, name: string): DockerEndpoint {
  const id = createHash('sha256').update(name).digest('hex')
  const bytes = readIfThere(join(folder, 'contexts', 'meta', id, 'meta.json'))
  if (bytes === undefined) {
    throw new TsbuildError(`no docker context ${JSON.stringify(name)} in ${folder}`, {
      code: 'NOT_FOUND',
      hint: '`docker context ls` lists those that are there',
    })
  }
  const { Endpoints = {} } = readDocument(bytes, CONTEXT, reading(`docker context ${name}`))
  const { Host, SkipTLSVerify } = Endpoints.docker ?? {}
  const tls = join(folder, 'contexts', 'tls', id, 'docker')
  const hasTls = readIfThere(join(tls, 'ca.pem')) ?? readIfThere(join(tls, 'cert.pem'))
  const files = { ...filesIn(tls), isVerified: SkipTLSVerify !== true }
  return parseEndpoint(
    Host ?? '',
    hasTls === undefined && SkipTLSVerify !== true ? undefined : files,
  )
}

function reading(what: string): { readonly what: string; readonly code: 'CONFIG_INVALID' } {
  return { what, code: 'CONFIG_INVALID' }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
    throw ioError(`read ${path}`, cause)
  }
}
