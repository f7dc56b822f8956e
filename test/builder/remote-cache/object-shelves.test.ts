import { writeFileSync } from 'node:fs'
import { cacheShelfSuite, type ShelfPlace } from '../../suites/cache-shelf.ts'
import {
  startActionsServer,
  startAzurite,
  startS3Server,
} from '../../support/object-stores/index.ts'
import { actionsPlace, azurePlace, openPlace, s3Place } from './object-places.ts'

const GARBLED = Buffer.from('{"schemaVersion": 2, "manif')

function keyOf(name: string, what: string): string {
  return what === 'index'
    ? `tsbuild/indexes/${name}.tsbuild.json`
    : `tsbuild/blobs/${what.replace(':', '-')}`
}

cacheShelfSuite('S3', async (): Promise<ShelfPlace> => {
  const server = await startS3Server()
  return {
    open: (name) => openPlace(s3Place(server, { name })),
    damage: async (name, what) => writeFileSync(server.file(keyOf(name, what)), GARBLED),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

cacheShelfSuite('Azure', async (): Promise<ShelfPlace> => {
  const azurite = await startAzurite()
  const container = await azurite.container('shelves')
  return {
    open: (name) => openPlace(azurePlace(azurite, { name, container: 'shelves' })),
    damage: async (name, what) => {
      const client = container.getBlockBlobClient(keyOf(name, what))
      await client.upload(GARBLED, GARBLED.length)
    },
    [Symbol.asyncDispose]: () => azurite[Symbol.asyncDispose](),
  }
})

cacheShelfSuite('GitHub Actions', async (): Promise<ShelfPlace> => {
  const azurite = await startAzurite()
  const server = await startActionsServer(azurite)
  return {
    open: (name) => openPlace(actionsPlace(server, name)),
    damage: async (name, what) => {
      const prefix =
        what === 'index' ? `tsbuild-index-1-${name}#` : `tsbuild-blob-1-${what.replace(':', '-')}`
      const blobs = [...server.entries.values()].map(({ blob }) => blob)
      const latest = blobs.filter((blob) => blob.startsWith(prefix)).at(-1) ?? ''
      await server.container.getBlockBlobClient(latest).upload(GARBLED, GARBLED.length)
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await azurite[Symbol.asyncDispose]()
    },
  }
})
