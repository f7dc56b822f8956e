import assert from 'node:assert/strict'
import { checkContainerName, findNamed, inventName, newId } from '#engine/model'

const ALL = [
  { id: `abc${'0'.repeat(61)}`, name: 'web' },
  { id: `abd${'0'.repeat(61)}`, name: 'abc1' },
]

describe('names of containers', () => {
  it('are found by id, by name, and by the beginning of an id', () => {
    assert.equal(findNamed(ALL, ALL[0]?.id ?? '', 'container').name, 'web')
    assert.equal(findNamed(ALL, '/web', 'container').name, 'web')
    assert.equal(findNamed(ALL, 'abd', 'container').name, 'abc1')
    assert.equal(findNamed(ALL, 'abc1', 'container').name, 'abc1')
  })

  it('that nobody has are not found', () => {
    for (const text of ['nobody', '']) {
      assert.throws(() => findNamed(ALL, text, 'container'), {
        code: 'NOT_FOUND',
        message: `No such container: ${text}`,
      })
    }
  })

  it('are not guessed where several ids begin so', () => {
    assert.throws(() => findNamed(ALL, 'ab', 'container'), { code: 'USAGE' })
  })

  it('have a form', () => {
    assert.equal(checkContainerName('/web_1.a-b'), 'web_1.a-b')
    for (const name of ['a', '-ab', 'a/b', 'a b', 'ab\n', '../x']) {
      assert.throws(() => checkContainerName(name), { code: 'USAGE' }, name)
    }
  })

  it('are invented until one is free', () => {
    const taken = new Set<string>()
    for (let count = 0; count < 200; count++) taken.add(inventName((name) => taken.has(name)))
    assert.equal(taken.size, 200)
    for (const name of taken) assert.equal(checkContainerName(name), name)
  })

  it('of machines are never numbers, though they are the beginnings of ids', () => {
    for (let count = 0; count < 100; count++) assert.match(newId(), /^(?!\d{12})[0-9a-f]{64}$/)
  })
})
