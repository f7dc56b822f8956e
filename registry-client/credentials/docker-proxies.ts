import { readDocument, shapes } from '#core'
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

/**
 * The build arguments that docker makes of `proxies` in its `config.json`: those for a daemon, else those of
 * `default`.
 * @param daemon as in `DOCKER_HOST`
 * @throws {TsbuildError} CONFIG_INVALID
 */
export function dockerProxies(
  file: string,
  daemon: string | undefined,
): Readonly<Record<string, string>> {
  const bytes = readSmallFile(file)
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
