/** Credentials that come with a request: used for it, at the registry that it is about, and forgotten. */
import { isJsonObject, type Json, type JsonObject } from '#core'
import type { CredentialStore, Credentials } from '#registry-client'

const NOTHING_STORED: Pick<CredentialStore, 'set' | 'erase'> = {
  set: async () => await Promise.resolve({}),
  erase: async () => await Promise.resolve(false),
}

/** No credentials at all. */
export const ANONYMOUS: CredentialStore = { ...NOTHING_STORED, get: async () => undefined }

/** The credentials of a request. */
export interface RequestCredentials extends CredentialStore {
  /** Whether there are any for a registry. */
  readonly knows: (registry: string) => boolean
}

/**
 * The credentials of `X-Registry-Auth` for one registry; they go to no other one. What cannot be read is none, as for
 * docker.
 */
export function credentialsFor(registry: string, header: string | undefined): RequestCredentials {
  const document = decodeHeader(header)
  const credentials = toCredentials(document)
  const named = textOf(document.serveraddress)
  const isMeant = named === '' || hostOf(named) === registry
  return of((host) => (isMeant && host === registry ? credentials : undefined))
}

/** The credentials of `X-Registry-Config`: an object of them by registry. */
export function credentialsOfAll(header: string | undefined): RequestCredentials {
  const known = new Map<string, Credentials>()
  for (const [name, value] of Object.entries(decodeHeader(header))) {
    const credentials = isJsonObject(value) ? toCredentials(value) : undefined
    if (credentials !== undefined) known.set(hostOf(name), credentials)
  }
  return of((host) => known.get(host))
}

function of(find: (host: string) => Credentials | undefined): RequestCredentials {
  return {
    ...NOTHING_STORED,
    get: async (host) => find(host),
    knows: (host) => find(host) !== undefined,
  }
}

/** What a client wants to log in with. Spec: Docker Engine API, AuthConfig */
export function loginOf(document: JsonObject): {
  readonly registry: string
  readonly credentials: Credentials | undefined
} {
  const named = textOf(document.serveraddress)
  return { registry: named === '' ? HUB : hostOf(named), credentials: toCredentials(document) }
}

/** Longer headers are not read. */
const MOST_HEADER = 1024 * 1024

/** Base64 of both alphabets, with or without padding. */
function decodeHeader(header: string | undefined): JsonObject {
  if (header === undefined || header.length > MOST_HEADER) return {}
  try {
    const document = JSON.parse(Buffer.from(header, 'base64').toString()) as Json
    return isJsonObject(document) ? document : {}
  } catch (cause) {
    if (cause instanceof SyntaxError) return {}
    throw cause
  }
}

function toCredentials(document: JsonObject): Credentials | undefined {
  const { identitytoken, registrytoken, auth } = document
  const pair = pairOf(textOf(auth))
  const username = textOf(document.username) || (pair?.username ?? '')
  const password = textOf(document.password) || (pair?.password ?? '')
  if (textOf(identitytoken) !== '') {
    return { kind: 'identity-token', username, token: textOf(identitytoken) }
  }
  if (textOf(registrytoken) !== '') return { kind: 'registry-token', token: textOf(registrytoken) }
  return username === '' ? undefined : { kind: 'password', username, password }
}

function pairOf(
  auth: string,
): { readonly username: string; readonly password: string } | undefined {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon <= 0) return undefined
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

const HUB = 'docker.io'
const HUB_HOSTS = new Set([HUB, 'index.docker.io', 'registry-1.docker.io'])

/** As references have it; clients send URLs, too. */
function hostOf(address: string): string {
  const host = address
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
  return HUB_HOSTS.has(host) ? HUB : host
}
