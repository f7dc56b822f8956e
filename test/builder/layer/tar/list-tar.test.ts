import assert from 'node:assert/strict'
import { createReadStream, truncateSync, writeFileSync } from 'node:fs'
import { changesOf, listNotedTar, listTar, writeLayer } from '#builder/layer'
import {
  capture,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

const MAKE = `
mkdir -p d/e && printf 'a' > d/a && printf 'bb' > d/e/b && chmod 4755 d/a
ln d/a d/link && ln -s ../a d/e/symbolic && mkfifo pipe
printf x > sparse && truncate -s 300000 sparse && printf y >> sparse
printf 'hidden' > .wh.gone && printf '' > d/empty
printf 'long' > $(printf 'n%.0s' $(seq 200))
`

describe('the files of a tar', () => {
  let directory: TemporaryDirectory
  let tar: string
  before(async () => {
    directory = temporaryDirectory('list-tar')
    tar = directory.file('tar')
    await run('sh', ['-ec', `mkdir root; cd root; ${MAKE}`], { cwd: directory.path })
    const owner = ['--owner=1000', '--group=2000', '--numeric-owner']
    await run('tar', ['--sparse', ...owner, '-cf', tar, '-C', directory.file('root'), '.'])
  })
  after(() => directory[Symbol.dispose]())

  it('are those that GNU tar has packed, with the digests that sha256sum gives', async () => {
    const files = await listTar(createReadStream(tar))
    const find = ['.', '-type', 'f', '!', '-name', '.wh.*', '-exec', 'sha256sum', '{}', '+']
    const { stdout } = await capture('find', find, { cwd: directory.file('root') })
    const expected = stdout
      .trim()
      .split('\n')
      .map((line) => [line.slice(68), `sha256:${line.slice(0, 64)}`] as const)
    const digests = [...files].flatMap(([path, { digest }]) => (digest ? [[path, digest]] : []))
    assert.ok(expected.length >= 6)
    assert.deepEqual(digests.toSorted(), expected.toSorted())
    const told = (path: string): unknown => {
      const { type, mode, uid, gid, target } = files.get(path as never) ?? {}
      return [type, mode?.toString(8), uid, gid, target]
    }
    assert.deepEqual(told('d/a'), ['file', '4755', 1000, 2000, undefined])
    assert.deepEqual(told('d/link'), told('d/a'))
    assert.equal(told('d/e/symbolic')?.toString(), 'symlink,777,1000,2000,../a')
    assert.equal(files.get('pipe' as never)?.type, 'fifo')
    assert.equal(files.get('sparse' as never)?.size, 300001)
    assert.equal(files.has('gone' as never) || files.has('.wh.gone' as never), false)
  })

  it('are those of a tar that ends with the last byte of the last file', async () => {
    const file = directory.file('unpadded')
    writeFileSync(directory.file('last'), 'text')
    await run('tar', ['-cf', file, '-C', directory.path, 'last'])
    for (const size of [600, 516]) {
      truncateSync(file, size)
      assert.deepEqual([...(await listTar(createReadStream(file))).keys()], ['last'])
    }
    truncateSync(file, 515)
    await assert.rejects(listTar(createReadStream(file)), { code: 'LAYER_INVALID' })
  })

  it('are none of a tar that is cut short or none at all', async () => {
    const cut = directory.file('cut')
    await run('cp', [tar, cut])
    truncateSync(cut, 1000)
    await assert.rejects(listTar(createReadStream(cut)), { code: 'LAYER_INVALID' })
    writeFileSync(cut, 'x'.repeat(2048))
    await assert.rejects(listTar(createReadStream(cut)), { code: 'LAYER_INVALID' })
  })

  it('are the same by what was noted while it was written, without the contents', async () => {
    const many = 'mkdir many; for i in $(seq 600); do echo $i > many/$i; done'
    await run('sh', ['-ec', `cp -a root noted; cd noted; rm .wh.gone; ${many}`], {
      cwd: directory.path,
    })
    const [written, contents] = [directory.file('noted.tar'), directory.file('contents')]
    const { hasContents } = writeLayer(changesOf(directory.file('noted')), {
      ...{ tar: written, contents },
    })
    assert.equal(hasContents, true)
    const noted = listNotedTar(written, contents)
    assert.ok(noted !== undefined && noted.size > 600)
    assert.deepEqual(noted, await listTar(createReadStream(written)))
    assert.equal(listNotedTar(tar, contents), undefined, 'notes of another tar')
    truncateSync(contents, 1000)
    assert.equal(listNotedTar(written, contents), undefined, 'notes that are damaged')
  })
})
