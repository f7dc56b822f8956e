import { readDocument, shapes, TsbuildError } from '#core'
import { readSmallFile } from './config-file.ts'

const { map, object, string } = shapes

const PROXIES = object({
  proxies: map(
    object({
      httpProxy: string,
      httpsProxy: string,
      ftpProxy: string,
      noProxy: string,
      allProxy: string,
    }),
  ),
})

/** Which proxies are meant. */
export interface DockerProxiesOptions {
  /** As in `DOCKER_HOST`. */
  readonly daemon?: string | undefined
  /** Nobody has named the file: when this user may not read it, it says nothing. */
  readonly isGuessed?: boolean
}

/**
 * The build arguments that docker makes of `proxies` in its `config.json`: those for a daemon, else those of
 * `default`.
 * @throws {TsbuildError} CONFIG_INVALID, PERMISSION_DENIED, IO_FAILED
 */
export function dockerProxies(
  file: string,
  { daemon, isGuessed = false }: DockerProxiesOptions = {},
): Readonly<Record<string, string>> {
  const bytes = isGuessed ? readIfAllowed(file) : readSmallFile(file)
  if (bytes?.includes('"proxies"') !== true) return {}
  const { proxies = {} } = readDocument(bytes, PROXIES, {
    what: file,
    code: 'CONFIG_INVALID',
    isSecret: true,
  })
  const own = (daemon === undefined ? undefined : proxies[daemon]) ?? proxies.default ?? {}
  const given = {
    HTTP_PROXY: own.httpProxy,
    HTTPS_PROXY: own.httpsProxy,
    FTP_PROXY: own.ftpProxy,
    NO_PROXY: own.noProxy,
    ALL_PROXY: own.allProxy,
  }
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
  )
}

/** A container may run with the home of root and as another user. */
function readIfAllowed(file: string): Buffer | undefined {
  try {
    return readSmallFile(file)
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'PERMISSION_DENIED') throw cause
    return undefined
  }
}
