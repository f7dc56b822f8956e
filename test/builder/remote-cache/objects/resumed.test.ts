import assert from 'node:assert/strict'
import { type Bytes, collect, TsbuildError } from '#core'
import { openResumed } from '../../../../builder/remote-cache/objects/resumed.ts'

const CONTENT = Buffer.from('what is under the key')
const BLOB = { key: 'blob', size: CONTENT.length }

/** A store whose connections break after so many bytes each; the last one counts for all that follow. */
function breaking(...lengths: readonly number[]) {
  const opened: number[] = []
  return {
    opened,
    open: async (_: unknown, { from }: { readonly from: number }): Promise<Bytes> => {
      const length = lengths[Math.min(opened.length, lengths.length - 1)] ?? 0
      opened.push(from)
      return (async function* () {
        yield CONTENT.subarray(from, from + length)
        if (from + length < CONTENT.length) throw new Error('socket hang up')
      })()
    },
  }
}

describe('a blob of an object store', () => {
  it('goes on where the connection broke', async () => {
    const store = breaking(5, 3, 100)
    const bytes = await collect(await openResumed(store, BLOB, {}), 100)
    assert.equal(bytes.toString(), CONTENT.toString())
    assert.deepEqual(store.opened, [0, 5, 8])
  })

  it('is given up where nothing comes any more', async () => {
    const store = breaking(5, 0)
    const bytes = await openResumed(store, BLOB, {})
    await assert.rejects(collect(bytes, 100), {
      code: 'REGISTRY_UNREACHABLE',
      message: 'read blob: the connection broke: socket hang up',
    })
    assert.ok(store.opened.length <= 5)
  })

  it('is not asked for again where the store says what is wrong', async () => {
    const store = {
      open: async (): Promise<Bytes> => {
        throw new TsbuildError('it is gone', { code: 'NOT_FOUND' })
      },
    }
    await assert.rejects(openResumed(store, BLOB, {}), { code: 'NOT_FOUND' })
  })
})
