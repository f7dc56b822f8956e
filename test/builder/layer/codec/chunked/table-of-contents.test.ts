import assert from 'node:assert/strict'
import { TableOfContents } from '../../../../../builder/layer/codec/chunked/table-of-contents.ts'

const MEBIBYTE = 1024 * 1024

describe('table of contents', () => {
  it('is too large above 150 MiB, which readers refuse', async () => {
    const entry = {
      ...{ type: 'reg', name: 'file', mode: 0o644, size: 0, uid: 0, gid: 0 },
      ...{ modtime: '1970-01-01T00:00:00Z', devMajor: 0, devMinor: 0 },
      xattrs: { 'user.large': 'A'.repeat(MEBIBYTE) },
    }
    const table = new TableOfContents(1)
    for (let count = 0; count < 149; count++) await table.add(entry)
    assert.equal(table.isTooLarge, false)
    for (let count = 0; count < 2; count++) await table.add(entry)
    assert.equal(table.isTooLarge, true)
    table.discard()
  })
})
