import assert from 'node:assert/strict'
import { checkLogOptions, logAttributes } from '#engine/logs'
import { CONTAINER } from '../support/log-lab.ts'

describe('options of logs', () => {
  it('name labels and variables, by name and by pattern', () => {
    const options = { labels: 'role,absent', 'env-regex': '^[AC]', tag: '{{.ID}}/{{.ImageID}}' }
    const attributes = logAttributes({ driver: 'local', options, container: CONTAINER })
    assert.deepEqual(attributes, { role: 'db', A: '1', tag: `${'c'.repeat(12)}/sha256:11111` })
  })

  it('are refused where nothing can be made of them', () => {
    for (const options of [{ tag: '{{.Nope}}' }, { tag: '{{' }, { 'labels-regex': '(' }]) {
      assert.throws(() => logAttributes({ driver: 'json-file', options, container: CONTAINER }), {
        code: 'USAGE',
      })
    }
  })

  it('mean nothing where nothing is kept', () => {
    assert.equal(checkLogOptions('none', { mode: 'what', x: '1' }), 'none')
    assert.equal(checkLogOptions('', {}), 'json-file')
  })

  it('are for drivers that are known', () => {
    assert.throws(() => checkLogOptions('foo', {}), {
      code: 'USAGE',
      // In dockerd's words, which it looks for a quarter of a minute.
      message: 'error looking up logging plugin foo: plugin "foo" not found',
    })
  })
})
