import { TsbuildError } from '#core'
import type { SettingsFile } from './config-file.ts'

/** A value of a file of settings, checked, and the file. */
export interface Found<T> {
  readonly value: T
  readonly file: string
}

/** What files of settings say of networks; of each key the first file that has it counts. */
export interface NetworkKeys {
  readonly insecure: Found<readonly string[]> | undefined
  readonly authorities: Found<readonly string[]> | undefined
  readonly authFile: Found<string> | undefined
  /** As `--registry-mirror` takes them. */
  readonly mirrors: Found<readonly string[]> | undefined
  /** By the variable whose place they take. */
  readonly proxies: ReadonlyMap<string, Found<string>>
}

const PROXIES: Readonly<Record<string, string>> = {
  http: 'HTTP_PROXY',
  https: 'HTTPS_PROXY',
  all: 'ALL_PROXY',
  no: 'NO_PROXY',
}

/** Every key of a file of settings. */
export const KEYS: ReadonlySet<string> = new Set([
  ...['authfile', 'cache-max', 'insecure-registries', 'isolation', 'proxies'],
  ...['registry-ca', 'registry-mirrors', 'runtime'],
])

/** @throws {TsbuildError} USAGE for a value of another kind; it is in no text, since it may have a password */
export function networkKeys(files: readonly SettingsFile[]): NetworkKeys {
  return {
    insecure: find(files, 'insecure-registries', textsIn),
    authorities: find(files, 'registry-ca', textsIn),
    authFile: find(files, 'authfile', textIn),
    mirrors: find(files, 'registry-mirrors', mirrorsIn),
    proxies: new Map(
      [...files]
        .reverse()
        .flatMap(({ path, table }) =>
          table.proxies === undefined
            ? []
            : proxiesIn(table.proxies, `proxies in ${path}`).map(
                ([name, value]) => [name, { value, file: path }] as const,
              ),
        ),
    ),
  }
}

function find<T>(
  files: readonly SettingsFile[],
  key: string,
  read: (value: unknown, where: string) => T,
): Found<T> | undefined {
  const file = files.find(({ table }) => table[key] !== undefined)
  if (file === undefined) return undefined
  return { value: read(file.table[key], `${key} in ${file.path}`), file: file.path }
}

function textIn(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw kindError(where, 'a text: "…"')
}

function textsIn(value: unknown, where: string): readonly string[] {
  if (Array.isArray(value)) return value.map((one) => textIn(one, where))
  throw kindError(where, 'a list of texts: ["…", "…"]')
}

function entriesIn(value: unknown, where: string): readonly (readonly [string, unknown])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value)
  throw kindError(where, 'a table: see docs/networks.md')
}

function mirrorsIn(value: unknown, where: string): readonly string[] {
  return entriesIn(value, where).flatMap(([host, mirrors]) =>
    textsIn(mirrors, `${host} of ${where}`).map((mirror) => `${host}=${mirror}`),
  )
}

function proxiesIn(value: unknown, where: string): readonly (readonly [string, string])[] {
  return entriesIn(value, where).map(([key, proxy]) => {
    const name = PROXIES[key]
    if (name === undefined) throw kindError(where, 'a table with the keys http, https, all and no')
    const isList = key === 'no' && Array.isArray(proxy)
    return [name, isList ? textsIn(proxy, where).join(',') : textIn(proxy, `${key} of ${where}`)]
  })
}

function kindError(where: string, kind: string): TsbuildError {
  return new TsbuildError(`invalid ${where}`, { code: 'USAGE', hint: `write ${kind}` })
}
