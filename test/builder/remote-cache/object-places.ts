import type { CacheTarget } from '#builder'
import { type ObjectPlace, resolveOptions } from '#builder/options'
import { openObjectStore } from '../../../builder/remote-cache/objects/open-store.ts'
import type { CacheShelf } from '../../../builder/remote-cache/shelf/cache-shelf.ts'
import { objectShelf } from '../../../builder/remote-cache/shelf/object-shelf.ts'
import type { ActionsServer, Azurite, S3Server } from '../../support/object-stores/index.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

type Of<Type extends string> = Extract<CacheTarget, { readonly type: Type }>

/** The options of a cache on a server. */
function s3Target(server: S3Server, more: Partial<Of<'s3'>> = {}): Of<'s3'> {
  const { bucket, accessKeyId, secretAccessKey, endpoint: endpointUrl } = server
  const access = { region: 'eu-test-1', accessKeyId, secretAccessKey }
  return { type: 's3', bucket, endpointUrl, usePathStyle: true, ...access, ...more }
}

export function s3Place(server: S3Server, more: Partial<Of<'s3'>> = {}): ObjectPlace {
  return placeOf(s3Target(server, more))
}

/** With the key of the account, unless there is another URL. */
export function azurePlace(azurite: Azurite, more: Partial<Of<'azblob'>> = {}): ObjectPlace {
  const { accountUrl, accountKey: secretAccessKey } = azurite
  const access = more.accountUrl === undefined ? { accountUrl, secretAccessKey } : {}
  return placeOf({ type: 'azblob', ...access, ...more })
}

export function actionsPlace({ url, token }: ActionsServer, scope: string): ObjectPlace {
  return placeOf({ type: 'gha', urlV2: url, token, scope })
}

function placeOf(target: CacheTarget): ObjectPlace {
  const { cacheTo } = resolveOptions({ context: '.', cacheTo: [target] }, {})
  const location = cacheTo[0]?.location
  if (location === undefined || location.kind === 'registry' || location.kind === 'folder') {
    throw new Error('a target in an object store has a place in it')
  }
  return location
}

/** A shelf as a process opens it that writes to it. */
export function openPlace(place: ObjectPlace, isWritten = true): CacheShelf {
  const temporary = () => {
    const { path, [Symbol.dispose]: dispose } = temporaryDirectory('shelf')
    return { path, [Symbol.asyncDispose]: async () => dispose() }
  }
  return objectShelf(place, { open: openObjectStore, temporary, isWritten })
}
