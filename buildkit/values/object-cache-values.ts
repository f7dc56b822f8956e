import type { CacheSource, CacheTarget } from '#builder/options'
import { unsupportedError, usageError } from '#core'
import { choice, count, duration, type Fields, isOn, needed, text } from './cache-fields.ts'

type Of<T, Type extends string> = Extract<T, { readonly type: Type }>
type ObjectType = 's3' | 'azblob' | 'gha'
type ObjectSource = Of<CacheSource, ObjectType>

const S3_KEYS = [
  ...['bucket', 'region', 'prefix', 'name', 'blobs_prefix', 'manifests_prefix'],
  ...['endpoint_url', 'use_path_style', 'access_key_id', 'secret_access_key', 'session_token'],
  ...['retry_mode', 'retry_max_attempts', 'disable_accept_encoding'],
]
const AZURE_KEYS = [
  ...['account_url', 'account_name', 'container', 'prefix', 'name'],
  ...['blobs_prefix', 'manifests_prefix', 'secret_access_key'],
]
const ACTIONS_KEYS = ['scope', 'url', 'url_v2', 'token', 'version', 'timeout']

/** The keys of each type that a cache is read from. */
export const OBJECT_SOURCE_KEYS: Readonly<Record<ObjectType, readonly string[]>> = {
  s3: S3_KEYS,
  azblob: AZURE_KEYS,
  gha: ACTIONS_KEYS,
}

/** The keys of each type that a cache is written to, without those of all types. */
export const OBJECT_TARGET_KEYS: Readonly<Record<ObjectType, readonly string[]>> = {
  s3: [...S3_KEYS, 'upload_parallelism', 'touch_refresh'],
  azblob: AZURE_KEYS,
  gha: [...ACTIONS_KEYS, 'repository', 'ghtoken'],
}

/** Whether a type is that of an object store. */
export function isObjectType(type: string): type is ObjectType {
  return Object.hasOwn(OBJECT_SOURCE_KEYS, type)
}

/**
 * Where caches in object stores are: `name=a;b` names several.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function objectPlaces(type: ObjectType, fields: Fields): readonly ObjectSource[] {
  if (type === 'gha') return [actionsPlace(fields)]
  const names = (fields.get('name') ?? '').split(';').filter((name) => name !== '')
  const named = names.length === 0 ? [{}] : names.map((name) => ({ name }))
  const place = type === 's3' ? s3Place(fields) : azurePlace(fields)
  return named.map((name) => ({ ...place, ...name }))
}

/** How results are sent to S3. @throws {TsbuildError} USAGE */
export function s3WriteOptions(
  fields: Fields,
): Pick<Of<CacheTarget, 's3'>, 'uploadParallelism' | 'touchRefresh'> {
  const uploadParallelism = count(fields, 'upload_parallelism')
  const touchRefresh = duration(fields, 'touch_refresh')
  return {
    ...(uploadParallelism === undefined ? {} : { uploadParallelism }),
    ...(touchRefresh === undefined ? {} : { touchRefresh }),
  }
}

function s3Place(fields: Fields): Of<CacheSource, 's3'> {
  const retryMode = choice(fields, 'retry_mode', ['standard', 'adaptive'])
  const attempts = count(fields, 'retry_max_attempts')
  // The header is not sent in any case, so that no proxy changes what is signed.
  isOn(fields, 'disable_accept_encoding')
  return {
    type: 's3',
    bucket: needed(fields, 'bucket', 'type=s3,bucket=BUCKET,region=REGION'),
    ...text(fields, 'region', 'region'),
    ...prefixes(fields),
    ...text(fields, 'endpoint_url', 'endpointUrl'),
    ...(isOn(fields, 'use_path_style') ? { usePathStyle: true } : {}),
    ...text(fields, 'access_key_id', 'accessKeyId'),
    ...text(fields, 'secret_access_key', 'secretAccessKey'),
    ...text(fields, 'session_token', 'sessionToken'),
    ...(retryMode === undefined ? {} : { retryMode }),
    ...(attempts === undefined ? {} : { retryMaxAttempts: attempts }),
  }
}

function azurePlace(fields: Fields): Of<CacheSource, 'azblob'> {
  return {
    type: 'azblob',
    ...text(fields, 'account_url', 'accountUrl'),
    ...text(fields, 'account_name', 'accountName'),
    ...text(fields, 'container', 'container'),
    ...prefixes(fields),
    ...text(fields, 'secret_access_key', 'secretAccessKey'),
  }
}

function prefixes(
  fields: Fields,
): Pick<Of<CacheSource, 's3'>, 'prefix' | 'blobsPrefix' | 'manifestsPrefix'> {
  return {
    ...text(fields, 'prefix', 'prefix'),
    ...text(fields, 'blobs_prefix', 'blobsPrefix'),
    ...text(fields, 'manifests_prefix', 'manifestsPrefix'),
  }
}

/** What buildx takes and what cannot be done here, with the way that can. */
const REFUSED: Readonly<Record<string, string>> = {
  url: 'it is that of the first version of the service, which is shut down: write url_v2',
  repository: 'leave it out: blobs that are there are found by their names',
  ghtoken: 'leave it out: blobs that are there are found by their names',
}

function actionsPlace(fields: Fields): Of<CacheSource, 'gha'> {
  for (const [key, hint] of Object.entries(REFUSED)) {
    if (fields.has(key)) throw unsupportedError(`${key} of type=gha is not supported`, hint)
  }
  const version = fields.get('version')
  if (version === '1') {
    const hint = 'leave it out: the first version of the service is shut down'
    throw unsupportedError('version=1 of type=gha is not supported', hint)
  }
  if (version !== undefined && version !== '2') {
    throw usageError(`invalid version "${version}" of a cache`, 'write version=2, or leave it out')
  }
  const timeout = duration(fields, 'timeout')
  return {
    type: 'gha',
    ...text(fields, 'scope', 'scope'),
    ...text(fields, 'url_v2', 'urlV2'),
    ...text(fields, 'token', 'token'),
    ...(timeout === undefined ? {} : { timeout }),
  }
}
