import { isJsonObject, type JsonObject, type Shape, shapes, TsbuildError } from '#core'
import { DEFAULT_REGISTRY } from '../reference.ts'
import type { Credentials, StoredCredentials } from './credentials.ts'

const { map, object, string } = shapes

interface Entry {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

const ENTRY: Shape<Entry> = object({
  auth: string,
  username: string,
  password: string,
  identitytoken: string,
  registrytoken: string,
})

/** The keys of docker's `config.json` that are used. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, Entry>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
}

/** The shape of `DockerConfig`. */
export const DOCKER_CONFIG: Shape<DockerConfig> = object({
  auths: map(ENTRY),
  credsStore: string,
  credHelpers: map(string),
})

/** Hosts under which entries for Docker Hub are found. */
const HUB_HOSTS = new Set([DEFAULT_REGISTRY, 'index.docker.io', 'registry-1.docker.io'])

/** The entry of `auths` for a host: keys may be a host or a URL with any path. */
export function entryFor({ auths = {} }: DockerConfig, host: string): Entry | undefined {
  const [key] = keysFor(auths, host)
  return key === undefined ? undefined : auths[key]
}

/**
 * The credentials of an entry; `undefined` for an empty one, which docker leaves beside a credential store.
 * @throws {TsbuildError} CONFIG_INVALID
 */
export function fromEntry(entry: Entry, host: string): Credentials | undefined {
  const { auth, identitytoken, registrytoken, username = '', password = '' } = entry
  const pair = auth ? decodeAuth(auth, host) : undefined
  const user = pair?.username ?? username
  if (identitytoken) return { kind: 'identity-token', username: user, token: identitytoken }
  if (registrytoken) return { kind: 'registry-token', token: registrytoken }
  if (pair !== undefined) return { kind: 'password', ...pair }
  return user === '' || password === '' ? undefined : { kind: 'password', username: user, password }
}

/** The entry of `auths` for credentials, as docker writes it. */
export function toEntry(credentials: StoredCredentials): JsonObject {
  switch (credentials.kind) {
    case 'password':
      return { auth: encodeAuth(credentials.username, credentials.password) }
    case 'identity-token':
      return {
        auth: encodeAuth(credentials.username, ''),
        identitytoken: credentials.token,
      }
    case 'registry-token':
      return { registrytoken: credentials.token }
  }
}

/** The config with one entry set and other spellings of its key removed. */
export function withEntry(config: JsonObject, key: string, entry: JsonObject): JsonObject {
  const auths = isJsonObject(config.auths) ? config.auths : {}
  const stale = new Set(keysFor(auths, hostOf(key)))
  const others = Object.entries(auths).filter(([other]) => !stale.has(other))
  return { ...config, auths: Object.fromEntries([...others, [key, entry]]) }
}

/** The config without any entry for a host; `undefined` when there is none to remove. */
export function withoutEntries(config: JsonObject, host: string): JsonObject | undefined {
  const { auths } = config
  if (!isJsonObject(auths)) return undefined
  const stale = new Set(keysFor(auths, host))
  if (stale.size === 0) return undefined
  const others = Object.entries(auths).filter(([key]) => !stale.has(key))
  return { ...config, auths: Object.fromEntries(others) }
}

/** The exact key first, then those that name the same host. */
function keysFor(auths: object, host: string): readonly string[] {
  const wanted = hostOf(host)
  const keys = Object.keys(auths).filter((key) => hostOf(key) === wanted)
  return keys.sort((a, b) => Number(b === host) - Number(a === host))
}

function hostOf(key: string): string {
  const host = key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
  return HUB_HOSTS.has(host) ? DEFAULT_REGISTRY : host
}

/** A password may contain colons; old versions of docker padded it with NULs. */
function decodeAuth(auth: string, host: string): { username: string; password: string } {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon > 0) {
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
  }
  throw new TsbuildError(`the credentials of ${host} in docker's config.json are damaged`, {
    code: 'CONFIG_INVALID',
    hint: `write them anew: tsbuild login ${host}`,
  })
}

function encodeAuth(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}
