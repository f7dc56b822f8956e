import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRegistryClient, parseReference } from '#registry-client'
import { folderShelf } from '../../../builder/remote-cache/shelf/folder-shelf.ts'
import { registryShelf } from '../../../builder/remote-cache/shelf/registry-shelf.ts'
import { cacheShelfSuite, NO_CREDENTIALS, type ShelfPlace } from '../../suites/cache-shelf.ts'
import { startRegistry, temporaryDirectory } from '../../support/peers/index.ts'

const GARBLED = Buffer.from('{"schemaVersion": 2, "manif')

cacheShelfSuite('registry', async (): Promise<ShelfPlace> => {
  const registry = await startRegistry()
  const client = createRegistryClient({ credentials: NO_CREDENTIALS })
  const storage = join(registry.storage, 'docker/registry/v2')
  const blobPath = (digest: string): string => {
    const hex = digest.slice('sha256:'.length)
    return join(storage, 'blobs/sha256', hex.slice(0, 2), hex, 'data')
  }
  return {
    open: (name) => registryShelf(client, parseReference(`${registry.host}/shelves/app:${name}`)),
    damage: async (name, what) => {
      if (what !== 'index') return writeFileSync(blobPath(what), GARBLED)
      // The registry itself refuses to give a manifest that is damaged on its disk.
      const repository = client.repository(parseReference(`${registry.host}/shelves/app`))
      const { bytes, descriptor } = await repository.fetchManifest(name)
      const text = bytes.toString().replace('"tsbuild.cache.records"', '"tsbuild.cache.recorts"')
      await repository.putManifest(name, { ...descriptor, bytes: Buffer.from(text) })
    },
    [Symbol.asyncDispose]: async () => {
      await client.close()
      await registry[Symbol.asyncDispose]()
    },
  }
})

cacheShelfSuite('folder', async (): Promise<ShelfPlace> => {
  const directory = temporaryDirectory('shelf')
  const folder = directory.file('cache')
  return {
    open: (tag) => folderShelf({ folder, tag }),
    damage: async (tag, what) => {
      const blob = (digest: string): string =>
        join(folder, 'blobs/sha256', digest.slice('sha256:'.length))
      const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))
      const named = manifests.find((one: { annotations: Record<string, string> }) =>
        Object.values(one.annotations).includes(tag),
      )
      writeFileSync(blob(what === 'index' ? named.digest : what), GARBLED)
    },
    [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
  }
})
