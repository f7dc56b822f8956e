import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cacheKeyOf, openStore } from '#cache'
import { watchSpace } from '../../../../cli/build/limit/space-watch.ts'
import { memoryDirectory, until } from '../../../support/peers/index.ts'
import { fakeShell } from '../../support/fake-shell.ts'

const MB = 1024 * 1024
/** Milliseconds between looks at what is free. */
const INTERVAL = 200

describe('the watch on space during a build', () => {
  it('removes what nobody uses when the disk gets fuller, and nothing else', async () => {
    using directory = memoryDirectory('watch')
    const root = directory.file('store')
    const keyOf = (name: string) => cacheKeyOf({ name })
    {
      await using earlier = openStore(root)
      for (const name of ['used', 'unused']) {
        const made = join(earlier.temporary().path, 'made')
        mkdirSync(made)
        writeFileSync(join(made, 'file'), 'x'.repeat(3 * MB))
        const { id } = await earlier.layers.commitDirectory(made)
        const key = keyOf(name)
        earlier.records.put({ key, family: key, preimage: {}, layer: id, description: name })
      }
    }
    await using build = openStore(root)
    const used = build.records.find(keyOf('used'))?.layer
    assert.ok(used)
    const shell = fakeShell({ env: { HOME: directory.path } })
    using _ = watchSpace({ root, limit: 4 * MB }, shell, INTERVAL)
    // What is free now is what it compares with.
    await delay(2 * INTERVAL)
    assert.equal(build.layers.get(used)?.directory, true)
    writeFileSync(directory.file('fill'), Buffer.alloc(100 * MB))
    await until(async () => {
      await using other = openStore(root)
      return !other.records.hasFamily(keyOf('unused'))
    })
    assert.equal(build.layers.get(used)?.directory, true)
  })
})
