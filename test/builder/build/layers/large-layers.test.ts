import assert from 'node:assert/strict'
import { openStore } from '#cache'
import { largeLayers } from '../../../../builder/build/layers/large-layers.ts'
import { putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

describe('layers that are too large', () => {
  it('are told with their largest file, and others are not', async () => {
    await using at = await Workplace.open()
    putShell(at)
    const { layers } = await at.build([
      ...SHELL_BASE,
      'RUN mkdir /log; echo small > /log/a; dd if=/bin/busybox of=/log/b bs=1 count=9 seek=3000000; echo x > /log/c',
    ])
    await using store = openStore(at.path('store'))
    const sized = layers.map(({ diffId, size }) => ({ diffId: diffId as never, size }))
    const told = [...largeLayers(sized, store, 2_500_000)]
    assert.equal(told.length, 1)
    assert.match(
      told[0] ?? '',
      new RegExp(`^layer ${layers.at(-1)?.diffId} has 0.0 GB, 0.0 GB of it the file /log/b: `),
    )
    assert.deepEqual([...largeLayers(sized, store)], [])
    // What is only in a registry has no file to be named.
    const other = { diffId: `sha256:${'0'.repeat(64)}` as never, size: 9e12 }
    assert.match([...largeLayers([other], store)].join(), /^layer \S+ has 9000\.0 GB: /)
  })
})
