import assert from 'node:assert/strict'
import { createRegistryClient, parseReference } from '#registry-client'
import { registryShelf } from '../../../builder/remote-cache/shelf/registry-shelf.ts'
import {
  costOf,
  NO_CREDENTIALS,
  publishAll,
  putText,
  sharedResult,
} from '../../suites/cache-shelf.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

describe('a thousand exports in a row', () => {
  it('cost a lookup no more requests and bytes than a hundred', async function () {
    this.timeout(900_000)
    await using registry = await MemoryRegistry.start()
    await using client = createRegistryClient({ credentials: NO_CREDENTIALS })
    const open = () => registryShelf(client, parseReference(`${registry.host}/long/app:cache`))
    const blob = await putText(open(), 'layer')
    const costs: { readonly requests: number; readonly bytes: number }[] = []
    for (let count = 1; count <= 1000; count++) {
      // A project of twelve steps, of which each export changes some for good.
      const results = Array.from({ length: 12 }, (_, step) =>
        sharedResult(`${step}.${Math.floor(count / (1 << step))}`, blob, {
          usedOn: 20_000 + Math.floor(count / 50),
        }),
      )
      await publishAll(open(), results, { grace: 0 })
      const names = results.map(({ description }) => description.slice('RUN '.length))
      if (count === 100 || count === 1000) costs.push(await costOf(open(), names))
    }
    const [hundred, thousand] = costs
    assert.ok(hundred !== undefined && thousand !== undefined)
    assert.ok(thousand.requests <= 18, `${thousand.requests} requests, ${hundred.requests} before`)
    assert.ok(thousand.bytes < 3_000_000, `${thousand.bytes} bytes, ${hundred.bytes} before`)
  })
})
