import assert from 'node:assert/strict'
import { keepPrograms, ownProgram } from '#core'

const PATH = '/bin:relative:/tools/bin:/usr/bin:/tool'

describe('programs of the builder', () => {
  afterEach(() => keepPrograms(undefined))

  it('are looked for wherever an absolute PATH leads', () => {
    const path = '/bin:/tools/bin:/usr/bin:/tool'
    assert.deepEqual(ownProgram('git', PATH), { file: 'git', path })
    assert.equal(ownProgram('git', 'bin').path, '/nonexistent')
  })

  it('are only found in what is kept, where steps replace the root', () => {
    keepPrograms(['/tools', '/usr/bin/helper'])
    assert.deepEqual(ownProgram('git', PATH), { file: 'git', path: '/tools/bin' })
    assert.deepEqual(ownProgram('helper', PATH), { file: '/usr/bin/helper', path: '/tools/bin' })
    assert.deepEqual(ownProgram('git', '/bin:/usr/bin'), { file: 'git', path: '/nonexistent' })
  })
})
