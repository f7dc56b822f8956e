import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, readDocument, TsbuildError } from '#core'
import { DEFAULT_REGISTRY } from '../reference.ts'
import {
  DOCKER_CONFIG,
  type DockerConfig,
  entryFor,
  fromEntry,
  toEntry,
  withEntry,
  withoutEntries,
} from './auth-entries.ts'
import { type ConfigFile, readConfigFile, writeConfigFile } from './config-file.ts'
import { CredentialHelper } from './credential-helper.ts'
import type { CredentialStore, Credentials } from './credentials.ts'

/** Where docker's credentials are, and how helpers are run. */
export interface DockerConfigOptions {
  /** The folder of `config.json`: `$DOCKER_CONFIG` or `~/.docker`. */
  readonly configDir: string
  /** Nobody has named the folder: when this user may not read it, it has no credentials. */
  readonly isGuessed?: boolean
  /** A file of the same form in place of `config.json`; when it is not there, that is an error of `get`. */
  readonly file?: string | undefined
  /** Files of the same form that are asked where the first has nothing: podman's. Nothing is written to them. */
  readonly otherFiles?: readonly string[] | undefined
  /** Called with a program of `credsStore` that is not installed: what is public needs none. */
  readonly onWarning?: ((message: string) => void) | undefined
  /** The content of `$DOCKER_AUTH_CONFIG`; its `auths` go before everything else. */
  readonly authConfig?: string | undefined
  /** The environment of credential helpers, which are looked for in its `PATH`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Milliseconds that a credential helper may take; 10 s by default. */
  readonly helperTimeout?: number | undefined
}

const DEFAULT_HELPER_TIMEOUT = 10_000
/** The name under which docker keeps the credentials of Docker Hub. */
const HUB_KEY = 'https://index.docker.io/v1/'

/**
 * Credentials as docker keeps them: `authConfig`, then the host's helper in `credHelpers`, then
 * `credsStore`, then `auths`. The file is read on every call, and other keys of it survive writing.
 * @throws {TsbuildError} CONFIG_INVALID for an unreadable file or a failing helper
 */
export function dockerConfigCredentials(options: DockerConfigOptions): CredentialStore {
  const file = options.file ?? join(options.configDir, 'config.json')
  const warned = new Set<string>()
  const helperFor = (config: DockerConfig, host: string): CredentialHelper | undefined => {
    const name = helperName(config, host)
    if (name === undefined) return undefined
    const timeout = options.helperTimeout ?? DEFAULT_HELPER_TIMEOUT
    return new CredentialHelper(name, { env: options.env ?? {}, timeout })
  }
  const getFrom = async (
    helper: CredentialHelper,
    config: DockerConfig,
    host: string,
  ): Promise<Credentials | undefined> => {
    try {
      return await helper.get(keyOf(host))
    } catch (error) {
      const isForHost = helperName({ ...config, credsStore: '' }, host) !== undefined
      if (isForHost || options.onWarning === undefined || !isNotInstalled(error)) throw error
      const message = `${messageOf(error)}; going on without credentials of ${host}`
      if (!warned.has(message)) options.onWarning(message)
      warned.add(message)
      return undefined
    }
  }
  const fromOthers = async (host: string): Promise<Credentials | undefined> => {
    for (const other of options.otherFiles ?? []) {
      const { config } = await readable(readConfigFile(other), { ...options, isGuessed: true })
      const found = fromAuths(config, host)
      if (found !== undefined) return found
    }
    return undefined
  }
  return {
    get: async (host) => {
      const given = fromAuths(parseAuthConfig(options.authConfig), host)
      if (given !== undefined) return given
      if (options.file !== undefined && !existsSync(file)) throw missingFileError(file)
      const { config } = await readable(readConfigFile(file), options)
      const helper = helperFor(config, host)
      const stored = helper === undefined ? undefined : await getFrom(helper, config, host)
      return stored ?? fromAuths(config, host) ?? (await fromOthers(host))
    },
    set: async (host, credentials) => {
      const { config, json } = await readConfigFile(file)
      const helper = helperFor(config, host)
      if (helper === undefined) {
        await writeConfigFile(file, withEntry(json, keyOf(host), toEntry(credentials)))
        return { clearTextFile: file }
      }
      await helper.store(keyOf(host), credentials)
      const cleaned = withoutEntries(json, host)
      if (cleaned !== undefined) await writeConfigFile(file, cleaned)
      return {}
    },
    erase: async (host) => {
      const { config, json } = await readConfigFile(file)
      const helper = helperFor(config, host)
      const erased = helper === undefined ? false : await helper.erase(keyOf(host))
      const cleaned = withoutEntries(json, host)
      if (cleaned !== undefined) await writeConfigFile(file, cleaned)
      return erased || cleaned !== undefined
    },
  }
}

/** A container may run with the home of root and as another user. */
async function readable(
  reading: Promise<ConfigFile>,
  { isGuessed = false }: DockerConfigOptions,
): Promise<Pick<ConfigFile, 'config'>> {
  try {
    return await reading
  } catch (cause) {
    const isDenied = cause instanceof TsbuildError && cause.code === 'PERMISSION_DENIED'
    if (isGuessed && isDenied) return { config: {} }
    throw cause
  }
}

function keyOf(host: string): string {
  return host === DEFAULT_REGISTRY ? HUB_KEY : host
}

function helperName(config: DockerConfig, host: string): string | undefined {
  const { credHelpers = {}, credsStore } = config
  return credHelpers[keyOf(host)] || credHelpers[host] || credsStore || undefined
}

function fromAuths(config: DockerConfig, host: string): Credentials | undefined {
  const entry = entryFor(config, host)
  return entry === undefined ? undefined : fromEntry(entry, host)
}

function parseAuthConfig(text: string | undefined): DockerConfig {
  if (text === undefined || text.trim() === '') return {}
  return readDocument(Buffer.from(text), DOCKER_CONFIG, {
    what: 'DOCKER_AUTH_CONFIG',
    code: 'CONFIG_INVALID',
    isSecret: true,
    hint: 'give it the content of a docker config.json: {"auths": {…}}',
  })
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof TsbuildError && errnoOf(error.cause) === 'ENOENT'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function missingFileError(file: string): TsbuildError {
  return new TsbuildError(`${file} with credentials does not exist`, {
    code: 'CONFIG_INVALID',
    hint: 'make it with tsbuild login --authfile, or correct --authfile or REGISTRY_AUTH_FILE',
  })
}
