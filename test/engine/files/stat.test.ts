import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { O_PATH } from '#disk'
import { ContainerFiles } from '#engine/files'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { directory, file, symlink, tar } from '../../support/raw-tar/index.ts'
import { ContainerRoot, makeRoot } from './container-root.ts'

describe('what is at a path of a container', () => {
  const folder = temporaryDirectory('stat')
  let root: ContainerRoot

  before(async () => {
    await makeRoot(folder.file('root'))
    root = new ContainerRoot(folder.file('root'))
  })
  after(async () => {
    await root[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('is described with the mode of Go, and times to the nanosecond', async () => {
    assert.deepEqual(await root.files.stat(root.at('/dir/sub/f')), {
      ...{ name: 'f', size: 4, mode: 8389101, linkTarget: '' },
      mtime: '2001-02-03T04:05:06.123456789Z',
    })
    const modes = ['/dir', '/dir/link', '/dir/fifo', '/dir/null', '/dir/block', '/tmp']
    const found = await Promise.all(modes.map((path) => root.files.stat(root.at(path))))
    assert.deepEqual(
      found.map(({ mode }) => mode),
      [2147484141, 134218239, 33554852, 69206436, 67109284, 2148532735],
    )
  })

  it('is the target of a link where a directory is meant', async () => {
    const names = async (path: string) => {
      const { name, mode, linkTarget } = await root.files.stat(root.at(path))
      return [name, mode > 2 ** 31 ? 'directory' : 'link', linkTarget]
    }
    assert.deepEqual(await names('/dlink'), ['dlink', 'link', '/dir'])
    assert.deepEqual(await names('/dlink/'), ['dlink', 'directory', ''])
    assert.deepEqual(await names('/dlink/.'), ['.', 'directory', ''])
    assert.deepEqual(await names('/dir/rel'), ['rel', 'link', '/dir/sub'])
    assert.deepEqual(await names('/broken'), ['broken', 'link', '/nowhere/x'])
    assert.deepEqual(await names('/'), ['/', 'directory', ''])
    assert.deepEqual(await names('../../dlink/..'), ['/', 'directory', ''])
  })

  it('is refused with messages of docker', async () => {
    const refusal = (path: string) =>
      root.files.stat(root.at(path)).then(
        () => assert.fail(path),
        ({ code, message }) => `${code} ${message}`,
      )
    const missing = 'NOT_FOUND Could not find the file'
    assert.equal(await refusal('/nope'), `${missing} /nope in container cc`)
    assert.equal(await refusal('/broken/x'), `${missing} /broken/x in container cc`)
    assert.equal(await refusal('/dir/file/'), 'IO_FAILED lstat /dir/file/: not a directory')
    assert.equal(await refusal('/dir/file/x'), 'IO_FAILED lstat /dir/file/x: not a directory')
    assert.match(await refusal('/loop1/'), /too many levels of symbolic links/)
    assert.match(await refusal(''), /^USAGE .*path cannot be empty/)
    assert.match(await refusal('/a\0b'), /^USAGE/)
  })

  it('shows a process its mounts, but neither the kernel nor devices', async () => {
    const script =
      'mount -t tmpfs none /mnt && mount -t proc proc /proc && echo v > /mnt/f && echo ready && exec cat'
    const child = spawn('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await using files = new ContainerFiles()
    let inner = -1
    try {
      await once(child.stdout, 'data')
      inner = openSync(`/proc/${child.pid}/root`, O_PATH | constants.O_DIRECTORY)
      const stat = (path: string) => files.stat({ root: inner, path, container: 'cc' })
      assert.equal((await stat('/mnt/f')).size, 2)
      assert.equal((await stat('/proc')).name, 'proc')
      await assert.rejects(stat('/proc/self/root/etc/passwd'), { code: 'NOT_FOUND' })
      await assert.rejects(stat('/proc/version'), { code: 'NOT_FOUND' })
      await assert.rejects(stat('/dev/null'), { code: 'NOT_FOUND' })
      // The twin: all of it is there for whoever walks plainly.
      assert.ok(lstatSync(`/proc/${child.pid}/root/dev/null`).isCharacterDevice())
    } finally {
      closeSync(inner)
      child.stdin.end()
      await once(child, 'exit')
    }
  })

  it('is not replaced where something is mounted for its processes', async () => {
    const folder = temporaryDirectory('mounted')
    const path = folder.path
    const script = `mkdir -p ${path}/d ${path}/v ${path}/above/w; echo old > ${path}/f; echo host > ${path}/host
      mount -t tmpfs none ${path}/v && echo v > ${path}/v/in && mount --bind ${path}/host ${path}/f
      mount -t tmpfs none ${path}/above/w; echo w > ${path}/above/w/in; echo ready && cat
      cat ${path}/f ${path}/v/in ${path}/v/new ${path}/above/w/in`
    const child = spawn('unshare', ['--mount', 'sh', '-ec', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await using files = new ContainerFiles()
    await once(child.stdout, 'data')
    const inner = openSync(`/proc/${child.pid}/root${path}`, O_PATH | constants.O_DIRECTORY)
    const put = (archive: Buffer): Promise<void> =>
      files.extract(
        { root: inner, path: '/', container: 'cc', isReadonlyRoot: false },
        Readable.from([archive]),
      )
    const busy = { code: 'IO_FAILED', message: /device or resource busy/ }
    try {
      await assert.rejects(put(tar(file('f', 'x'))), busy)
      await assert.rejects(put(tar(symlink('v', 'd'))), busy)
      await assert.rejects(put(tar(file('above', 'x'))), { code: 'IO_FAILED' })
      await put(tar(directory('v'), file('v/new', 'in the mount'), file('d/new', 'x')))
    } finally {
      closeSync(inner)
      child.stdin.end()
    }
    const { stdout } = child
    assert.equal(await text(stdout), 'host\nv\nin the mountw\n')
    assert.equal(readFileSync(`${path}/f`, 'utf8'), 'old\n')
    folder[Symbol.dispose]()
  })

  it('does not depend on the length of its path', async () => {
    const deep = `${'/dir/..'.repeat(1000)}/dir/file`
    assert.equal((await root.files.stat(root.at(deep))).name, 'file')
    mkdirSync(join(root.path, 'names'))
    writeFileSync(join(root.path, 'names', 'x'.repeat(255)), '')
    assert.equal((await root.files.stat(root.at(`/names/${'x'.repeat(255)}`))).size, 0)
  })
})
