import { existsSync } from 'node:fs'
import { certificateFolders, mirrorSettingsFiles } from '#registry-client'
import type { Shell } from '../terminal/shell.ts'
import { readSettingsFiles, type SettingsFile } from './config-file.ts'
import { type Found, KEYS, type NetworkKeys, networkKeys } from './settings-keys.ts'

/** A setting that holds. */
export interface SettingRow {
  readonly key: string
  readonly value: string
  /** A file, or a variable of the environment. */
  readonly from: string
}

/** The settings of networks and of the store that hold, without passwords. */
export async function settingRows(env: Shell['env']): Promise<readonly SettingRow[]> {
  return rowsOf(await readSettingsFiles(env), env)
}

function rowsOf(files: readonly SettingsFile[], env: Shell['env']): readonly SettingRow[] {
  const keys = networkKeys(files)
  return [
    ...cacheMax(files, env),
    ...firstOf(files, 'isolation'),
    ...firstOf(files, 'runtime'),
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) =>
      proxyRow(name, keys, env),
    ),
    ...variable('SSL_CERT_FILE', env),
    ...variable('SSL_CERT_DIR', env),
    ...variable('NODE_EXTRA_CA_CERTS', env),
    ...listed('registry-ca', keys.authorities),
    ...listed('insecure-registries', keys.insecure),
    ...listed('registry-mirrors', keys.mirrors),
    ...authFile(keys, env),
    ...existing('certificates', certificateFolders(env)),
    ...existing('mirrors of the machine', mirrorSettingsFiles(env)),
    ...files.flatMap(({ path, table }) =>
      Object.keys(table).flatMap((key) =>
        KEYS.has(key) ? [] : [{ key, value: '(unknown, without effect)', from: path }],
      ),
    ),
  ]
}

function cacheMax(files: readonly SettingsFile[], env: Shell['env']): readonly SettingRow[] {
  const given = variable('TSBUILD_CACHE_MAX', env)
  if (given.length > 0) return given
  return firstOf(files, 'cache-max')
}

function firstOf(files: readonly SettingsFile[], key: string): readonly SettingRow[] {
  const file = files.find(({ table }) => table[key] !== undefined)
  return file === undefined ? [] : [{ key, value: String(file.table[key]), from: file.path }]
}

function proxyRow(
  name: string,
  { proxies }: NetworkKeys,
  env: Shell['env'],
): readonly SettingRow[] {
  for (const spelling of [name, name.toLowerCase()]) {
    const value = env[spelling]
    if (value) return [{ key: name, value: withoutLogin(value), from: spelling }]
  }
  const found = proxies.get(name)
  if (found === undefined) return []
  return [{ key: name, value: withoutLogin(found.value), from: found.file }]
}

/** Up to the last `@`: a password that is not encoded may have one, too. */
function withoutLogin(value: string): string {
  return value.replace(/^([a-z\d+.-]+:\/\/)?.*@/i, '$1…@')
}

function variable(name: string, env: Shell['env']): readonly SettingRow[] {
  const value = env[name]
  return value ? [{ key: name, value, from: name }] : []
}

function authFile({ authFile: found }: NetworkKeys, env: Shell['env']): readonly SettingRow[] {
  if (env.DOCKER_AUTH_CONFIG) {
    return [{ key: 'authfile', value: '(its content)', from: 'DOCKER_AUTH_CONFIG' }]
  }
  const given = env.REGISTRY_AUTH_FILE
  if (given) return [{ key: 'authfile', value: given, from: 'REGISTRY_AUTH_FILE' }]
  return found === undefined ? [] : [{ key: 'authfile', value: found.value, from: found.file }]
}

function listed(key: string, found: Found<readonly string[]> | undefined): readonly SettingRow[] {
  return (found?.value ?? []).map((value) => ({ key, value, from: found?.file ?? '' }))
}

function existing(key: string, paths: readonly string[]): readonly SettingRow[] {
  return paths
    .filter((path) => existsSync(path))
    .map((path) => ({ key, value: path, from: 'the machine' }))
}
