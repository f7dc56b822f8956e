import { TsbuildError } from '#core'

/** Where a cache lies in a bucket of S3, or of a service that speaks its protocol. */
export interface S3CacheOptions {
  readonly type: 's3'
  readonly bucket: string
  /** Default: that of the environment, or of the profile. */
  readonly region?: string
  /** What all keys begin with. */
  readonly prefix?: string
  /** Of the cache. Default: `tsbuild`. */
  readonly name?: string
  /** What keys of blobs and of indexes begin with, behind `prefix`. With one of them nothing is removed. */
  readonly blobsPrefix?: string
  readonly manifestsPrefix?: string
  /** Of another service than Amazon's. */
  readonly endpointUrl?: string
  /** The bucket is in the path, not in the host. Default: false. */
  readonly usePathStyle?: boolean
  /** Default: those of the environment, the profile or the machine, as all tools of Amazon take them. */
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  readonly retryMode?: 'standard' | 'adaptive'
  /** Default: 3. */
  readonly retryMaxAttempts?: number
}

/** How results are sent to S3. */
export interface S3WriteOptions {
  /** Parts of a large layer that are sent at a time. Default: 4. */
  readonly uploadParallelism?: number
  /** Milliseconds after which a blob that is used again is written anew, at most 48 hours. Default: 24 hours. */
  readonly touchRefresh?: number
}

/** Where a cache lies in Azure's blob storage. */
export interface AzureCacheOptions {
  readonly type: 'azblob'
  /** `https://ACCOUNT.blob.core.windows.net`, also with a signature as its query. */
  readonly accountUrl?: string
  /** In place of the URL. */
  readonly accountName?: string
  /** Default: `buildkit-cache`. */
  readonly container?: string
  readonly prefix?: string
  /** Default: `tsbuild`. */
  readonly name?: string
  readonly blobsPrefix?: string
  readonly manifestsPrefix?: string
  /** A key of the account. */
  readonly secretAccessKey?: string
}

/** Where a cache lies in the service of GitHub Actions. */
export interface ActionsCacheOptions {
  readonly type: 'gha'
  /** What distinguishes caches of one repository. Default: `tsbuild`. */
  readonly scope?: string
  /** Default: `$ACTIONS_RESULTS_URL`. */
  readonly urlV2?: string
  /** Default: `$ACTIONS_RUNTIME_TOKEN`. */
  readonly token?: string
  /** Milliseconds for each document and each blob. Default: 10 minutes. */
  readonly timeout?: number
}

/** What a cache in an object store is found by. */
export type ObjectCacheOptions = S3CacheOptions | AzureCacheOptions | ActionsCacheOptions

/** Keys of a cache in a bucket or a container. */
interface Keys {
  /** Of the index. */
  readonly index: string
  /** What the keys of all indexes, and of all blobs, begin with. */
  readonly indexes: string
  readonly blobs: string
  /** Says when blobs were removed last; `undefined`: others may keep blobs here, and none is removed. */
  readonly tended: string | undefined
}

/** `S3CacheOptions` with everything filled in. */
export interface S3Place extends Omit<S3CacheOptions, 'type' | 'usePathStyle'> {
  readonly kind: 's3'
  readonly keys: Keys
  readonly usePathStyle: boolean
  readonly uploadParallelism: number
  /** Milliseconds. */
  readonly touchRefresh: number
}

/** `AzureCacheOptions` with everything filled in. */
export interface AzurePlace {
  readonly kind: 'azblob'
  readonly keys: Keys
  readonly accountUrl: string
  readonly accountName: string
  readonly container: string
  readonly secretAccessKey: string | undefined
  readonly touchRefresh: number
}

/** `ActionsCacheOptions` with everything filled in. */
export interface ActionsPlace {
  readonly kind: 'gha'
  readonly scope: string
  readonly url: string | undefined
  readonly token: string | undefined
  readonly timeout: number
}

/** Where a cache lies in an object store. */
export type ObjectPlace = S3Place | AzurePlace | ActionsPlace

type Environment = Readonly<Record<string, string | undefined>>

const HOUR = 3_600_000
const TOUCH_REFRESH = 24 * HOUR
/** Blobs that nothing names are removed some time after this. */
const LONGEST_REFRESH = 48 * HOUR
const NAME = 'tsbuild'
/** That of BuildKit. */
const CONTAINER = 'buildkit-cache'
const ACTIONS_TIMEOUT = 600_000
const PARALLELISM = 4

/** @throws {TsbuildError} USAGE */
export function resolveObjectPlace(
  options: ObjectCacheOptions & S3WriteOptions,
  env: Environment,
): ObjectPlace {
  switch (options.type) {
    case 's3':
      return resolveS3(options)
    case 'azblob':
      return resolveAzure(options)
    case 'gha':
      return resolveActions(options, env)
  }
}

function resolveS3(options: S3CacheOptions & S3WriteOptions): S3Place {
  const { accessKeyId, secretAccessKey, sessionToken, endpointUrl } = options
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    const hint = 'write both, or neither: then those of the environment are used'
    throw usageError('a cache has one of access_key_id and secret_access_key', hint)
  }
  if (sessionToken !== undefined && accessKeyId === undefined) {
    throw usageError('a cache has a session_token and no access_key_id', 'write all three')
  }
  if (endpointUrl !== undefined) checkUrl(endpointUrl, 'endpoint_url')
  const { touchRefresh = TOUCH_REFRESH, uploadParallelism = PARALLELISM } = options
  if (touchRefresh < 0 || touchRefresh > LONGEST_REFRESH) {
    const hint = 'write at most 48h: what is older and not used is removed'
    throw usageError('touch_refresh of a cache is too long', hint)
  }
  if (!Number.isInteger(uploadParallelism) || uploadParallelism < 1 || uploadParallelism > 64) {
    throw usageError('invalid upload_parallelism of a cache', 'write a number from 1 to 64')
  }
  if (options.retryMaxAttempts === 0) {
    throw usageError('invalid retry_max_attempts of a cache: 0', 'write 1 for no retries')
  }
  const { type: kind, usePathStyle = false, ...place } = options
  return { ...place, kind, usePathStyle, touchRefresh, uploadParallelism, keys: keysOf(options) }
}

function resolveAzure(options: AzureCacheOptions): AzurePlace {
  const { accountName: given, accountUrl = hostOf(given), container = CONTAINER } = options
  if (accountUrl === undefined) {
    const hint = 'write account_url=https://ACCOUNT.blob.core.windows.net'
    throw usageError('a cache of type azblob has no account_url', hint)
  }
  const url = checkUrl(accountUrl, 'account_url')
  const [first = ''] = url.hostname.split('.')
  // Emulators have the account in the path.
  const accountName = given ?? (url.pathname.replaceAll('/', '') || first)
  return {
    ...{ kind: 'azblob', accountUrl, accountName, container, touchRefresh: TOUCH_REFRESH },
    secretAccessKey: options.secretAccessKey,
    keys: keysOf(options),
  }
}

function hostOf(account: string | undefined): string | undefined {
  return account === undefined ? undefined : `https://${account}.blob.core.windows.net`
}

function resolveActions(options: ActionsCacheOptions, env: Environment): ActionsPlace {
  const { scope = NAME, timeout = ACTIONS_TIMEOUT } = options
  const { urlV2: url = env.ACTIONS_RESULTS_URL, token = env.ACTIONS_RUNTIME_TOKEN } = options
  if (url) checkUrl(url, 'url_v2')
  return { kind: 'gha', scope, url: url || undefined, token: token || undefined, timeout }
}

/** Caches of BuildKit may lie under the same prefix and name: no key of theirs is one of ours. */
function keysOf(options: S3CacheOptions | AzureCacheOptions): Keys {
  const { prefix = '', name = NAME, blobsPrefix, manifestsPrefix } = options
  const indexes = `${prefix}${manifestsPrefix ?? 'tsbuild/indexes/'}`
  const isShared = blobsPrefix !== undefined || manifestsPrefix !== undefined
  return {
    indexes,
    index: `${indexes}${name}.tsbuild.json`,
    blobs: `${prefix}${blobsPrefix ?? 'tsbuild/blobs/'}`,
    tended: isShared ? undefined : `${prefix}tsbuild/tended`,
  }
}

/** Nothing of a URL is in the error: it may hold a secret. */
function checkUrl(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw usageError(`invalid ${option} of a cache`, `write ${option}=https://HOST`)
}

function usageError(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', hint })
}
