import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { digestOf } from '#core'
import { readArchiveFiles } from '../../../../builder/build/images/archive-files.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { file, hardlink, pax, symlink } from '../../../support/raw-tar/index.ts'

const END = Buffer.alloc(1024)

describe('the files of an archive', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('archive-files')
  })
  afterEach(() => directory[Symbol.dispose]())

  async function* bytes(...members: readonly Buffer[]) {
    yield Buffer.concat([...members, END])
  }

  const read = (...members: readonly Buffer[]) =>
    readArchiveFiles(bytes(...members), { name: 'x.tar', folder: directory.path })

  it('are found by their names, with digests and sizes', async () => {
    const files = await read(file('./a', 'one'), file('b//c', 'two'))
    assert.deepEqual([...files.keys()], ['a', 'b/c'])
    const found = files.get('b/c')
    assert.equal(found?.digest, digestOf('two'))
    assert.equal(found?.size, 3)
    assert.equal(readFileSync(found?.path ?? '', 'utf8'), 'two')
  })

  it('are found through links, which may come first', async () => {
    const files = await read(
      symlink('x/layer.tar', '../y/layer.tar'),
      hardlink('hard', 'y/layer.tar'),
      symlink('twice', 'x/layer.tar'),
      file('y/layer.tar', 'layer'),
    )
    for (const name of ['x/layer.tar', 'hard', 'twice']) {
      assert.equal(files.get(name)?.digest, digestOf('layer'))
    }
  })

  it('never leave the folder, whatever they are called', async () => {
    const files = await read(file('../../escape', 'x'), file('/etc/passwd', 'y'))
    assert.deepEqual([...files.keys()].sort(), ['escape', 'etc/passwd'])
    assert.equal(readdirSync(directory.path).length, 2)
  })

  it('do not follow links in circles, or to what is not in the archive', async () => {
    const files = await read(symlink('a', 'b'), symlink('b', 'a'), symlink('p', '/etc/passwd'))
    assert.equal(files.size, 0)
  })

  it('are refused when a name comes twice', async () => {
    await assert.rejects(read(file('a', '1'), file('./a', '2')), { code: 'LAYER_INVALID' })
  })

  it('are refused when one claims to be larger than the disk', async () => {
    await assert.rejects(read(pax({ size: String(2 ** 50) }), file('a')), { code: 'NO_SPACE' })
    assert.deepEqual(readdirSync(directory.path), [])
  })

  it('are refused when there are too many', async function () {
    this.timeout(120_000)
    const many = Array.from({ length: 50_001 }, () => symlink('a', 'b'))
    await assert.rejects(read(...many), { code: 'LAYER_INVALID', message: /more than 50000/ })
  })
})
