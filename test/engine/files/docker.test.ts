import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { ContainerFiles, type ContainerLayers } from '#engine/files'
import {
  capture,
  type Dockerd,
  run,
  startDockerd,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { directory, file, hardlink, pax, symlink, tar } from '../../support/raw-tar/index.ts'
import { type Answer, ask } from '../support/socket-http.ts'
import { ContainerRoot, type Entry, entriesOf, makeRoot } from './container-root.ts'

/** What a program changes: everything that a layer can say. */
const CHANGES = `
echo more >> /dir/file; chmod 644 /dir/capable; rm /dir/sub/f; rm -r /dir/old; mkdir /dir/old; echo n > /dir/old/n
mkdir -p /a/b/c; echo 1 > /a/b/c/d; touch /etc/passwd; mkfifo /var/fifo; echo kept > /vol/data/x; mv /gone /moved
rm -r /dir/sub; mkdir /dir/sub; chown 5:5 /dir/hard; ln /dir/sparse /a/sparse2; echo r > /tmp/r; rm /tmp/r
rm /dir/link; mkdir /dir/link; rm -r /dir/deep; echo file > /dir/deep; ln -s /x /dlink2; chmod 700 /var
`

/** Paths whose documents are compared; the sizes of directories depend on their file system. */
const PATHS = [
  ...['/dir/file', '/dir', '/dir/', '/dir/.', '/dlink', '/dlink/.', '/dlink/link', '/dir/rel'],
  ...['/dir/rel/', '/broken', '/dir/fifo', '/dir/null', '/dir/block', 'dir/../dir/file'],
  ...['/../../etc/passwd', '/dir/sub/f', '/dir/old', '/tmp', '/dir/ünï'],
]

const owned = { uid: 1234, gid: 1235, mtime: 1_000_000_000, mode: 0o640 }

/** Archives that are put into `/dir`, in this order. */
const ARCHIVES: Readonly<Record<string, Buffer>> = {
  'files, links and missing parents': tar(
    file('a', 'x', owned),
    file('new/below/f', 'y', owned),
    directory('sub/', { ...owned, mode: 0o2711 }),
    symlink('s', '/etc/passwd'),
    hardlink('h', 'a', owned),
  ),
  'names of marks': tar(file('.wh.file', '', owned), file('.wh..wh..opq', '', owned)),
  'an absolute name': tar(file('/absolute', 'x', owned)),
  'a root, which stays as it is': tar(
    directory('./', { ...owned, mode: 0o700 }),
    file('./in', '1'),
  ),
  'one name three times': tar(file('p', '1'), file('p', '22'), symlink('p', 'x')),
  'a directory in the place of a file': tar(directory('file', owned)),
  'a file in the place of a directory': tar(file('old', 'q', owned)),
  nothing: Buffer.alloc(0),
  'setuid and a long name': tar(
    file('suid', 'x', { ...owned, mode: 0o6755 }),
    pax({ path: `long/${'x'.repeat(150)}/${'y'.repeat(150)}` }),
    file('short', 'z', owned),
  ),
}

/** Archives that neither takes. */
const REFUSED: Readonly<Record<string, Buffer>> = {
  'a name that leads out': tar(file('../x', 'x')),
  'a hard link that leads out': tar(hardlink('h', '../../etc/passwd')),
  'a hard link to nothing': tar(hardlink('h', 'missing')),
  'a hard link to what comes later': tar(hardlink('h', 'later'), file('later', 'x')),
  'a file below a file': tar(file('p1', 'x'), file('p1/q', 'y')),
  'no archive': Buffer.from('hello'),
  'half an archive': tar(file('half', 'x'.repeat(2000))).subarray(0, 1000),
}

describe('files of a container, compared with dockerd', () => {
  const folder = temporaryDirectory('files')
  let dockerd: Dockerd
  let root: ContainerRoot
  let files: ContainerFiles

  before(async () => {
    await makeRoot(folder.file('root'))
    const archive = folder.file('root.tar')
    const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-cf', archive]
    await run('tar', [...flags, '-C', folder.file('root'), '.'])
    dockerd = await startDockerd()
    await dockerd.docker(['import', archive, 'tree:1'])
    await dockerd.docker(['create', '--name', 'cc', 'tree:1', 'sh'])
    root = new ContainerRoot(folder.file('root'))
    files = new ContainerFiles()
  })
  after(async () => {
    await files[Symbol.asyncDispose]()
    await root[Symbol.asyncDispose]()
    await dockerd[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('are described by the same documents', async () => {
    const size = ({ size, ...rest }: { size: number; mode: number }) =>
      rest.mode >= 2 ** 31 ? rest : { ...rest, size }
    const compared = PATHS.map(async (path) => {
      const { headers } = await call(dockerd, 'HEAD', 'cc', path)
      const header = `${headers['x-docker-container-path-stat']}`
      const theirs = JSON.parse(Buffer.from(header, 'base64').toString())
      assert.deepEqual(size(await root.files.stat(root.at(path))), size(theirs), path)
    })
    await Promise.all(compared)
  })

  it('come as the same entries', async () => {
    const paths = ['/dir', '/dir/.', '/dir/file', '/dlink', '/dlink/', '/dir/fifo', '/dir/rel/']
    const compared = paths.map(async (path) => {
      const { bytes } = await call(dockerd, 'GET', 'cc', path)
      const [ours, theirs] = await Promise.all([entries(await root.archive(path)), entries(bytes)])
      assert.ok(theirs.length > 0)
      assert.deepEqual(ours, theirs, path)
    })
    await Promise.all(compared)
  })

  it('come with the same content, as GNU tar compares them', async () => {
    await unpack((await call(dockerd, 'GET', 'cc', '/dir')).bytes, folder.file('theirs'))
    writeFileSync(folder.file('ours.tar'), await root.archive('/dir'))
    const compare = ['--numeric-owner', '--compare', '-f', folder.file('ours.tar')]
    const found = await capture('tar', [...compare, '-C', folder.file('theirs')])
    assert.deepEqual([found.status, found.stdout, found.stderr], [0, '', ''])
    // The twin: it would say so.
    await run('sh', ['-c', `echo other > ${folder.file('theirs')}/dir/sub/f`])
    const other = await capture('tar', [...compare, '-C', folder.file('theirs')])
    assert.match(other.stdout, /dir\/sub\/f: (?:Contents|Mod time|Mode) differ/)
  })

  it('are unpacked to the same files', async () => {
    await run('cp', ['-a', folder.file('root'), folder.file('copy')])
    await using copy = new ContainerRoot(folder.file('copy'))
    for (const [name, archive] of Object.entries(ARCHIVES)) {
      const { status } = await call(dockerd, 'PUT', 'cc', '/dir', archive)
      assert.equal(status, 200, name)
      await copy.extract('/dir', archive)
    }
    const { bytes } = await call(dockerd, 'GET', 'cc', '/dir')
    const [ours, theirs] = await Promise.all([entries(await copy.archive('/dir')), entries(bytes)])
    assert.ok(ours.some(({ name }) => name === 'dir/new/below/f'))
    assert.deepEqual(ours.map(withoutNow), theirs.map(withoutNow))
  })

  it('are refused where dockerd refuses them', async () => {
    await run('cp', ['-a', folder.file('root'), folder.file('refusing')])
    await using copy = new ContainerRoot(folder.file('refusing'))
    for (const [name, archive] of Object.entries(REFUSED)) {
      // Debian's takes half an archive without a word; what is half is no success here.
      const { status } = await call(dockerd, 'PUT', 'cc', '/dir', archive)
      if (name !== 'half an archive') assert.equal(status, 500, name)
      await assert.rejects(copy.extract('/dir', archive), { code: 'LAYER_INVALID' }, name)
    }
    const same = { replacing: 'the same kind' } as const
    const query = '&noOverwriteDirNonDir=1'
    for (const archive of [tar(directory('hard')), tar(file('sub', 'x'))]) {
      const { status, body } = await call(dockerd, 'PUT', 'cc', `/dir${query}`, archive)
      assert.equal(status, 500)
      const [, reason = 'none'] = /(cannot overwrite \S+ )/.exec(body) ?? []
      await assert.rejects(copy.extract('/dir', archive, same), (cause: Error) =>
        cause.message.includes(reason),
      )
    }
    const notDirectory = { code: 'USAGE', message: 'extraction point is not a directory' }
    await assert.rejects(copy.extract('/dir/file', tar(file('x'))), notDirectory)
    await assert.rejects(copy.extract('/nope', tar(file('x'))), { code: 'NOT_FOUND' })
  })

  describe('that has run', () => {
    let layers: ContainerLayers

    before(async () => {
      const volume = ['-v', '/vol/data', '--network=none']
      await dockerd.docker(['run', '--name', 'run', ...volume, 'tree:1', 'sh', '-ec', CHANGES])
      const { stdout } = await dockerd.docker(['inspect', 'run'])
      const [{ GraphDriver }] = JSON.parse(stdout)
      const { UpperDir, LowerDir } = GraphDriver.Data
      layers = { upper: UpperDir, lower: LowerDir.split(':') }
    })

    it('has changed the same paths', async () => {
      const { stdout } = await dockerd.docker(['diff', 'run'])
      const theirs = stdout.trim().split('\n')
      const ours = await files.changes(layers)
      assert.ok(theirs.length > 20)
      const lines = ours.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`)
      assert.deepEqual(lines.toSorted(), theirs.toSorted())
    })

    it('is exported as the same entries', async () => {
      const path = folder.file('export.tar')
      await dockerd.docker(['export', '-o', path, 'run'])
      const theirs = await entries(readFileSync(path))
      const ours = await entries(await buffer(files.export(layers)))
      assert.ok(theirs.length > 60)
      assert.deepEqual(ours, theirs)
    })

    it('is committed as a layer with which dockerd shows the same files', async () => {
      await dockerd.docker(['commit', 'run', 'committed:1'])
      await dockerd.docker(['save', 'committed:1', '-o', folder.file('saved.tar')])
      const saved = folder.file('saved')
      await unpack(readFileSync(folder.file('saved.tar')), saved)
      await files.writeLayer({ layers, tar: folder.file('layer.tar') })
      await replaceTopLayer(saved, readFileSync(folder.file('layer.tar')))
      await run('tar', ['-cf', folder.file('changed.tar'), '-C', saved, '.'])
      await dockerd.docker(['load', '-i', folder.file('changed.tar')])
      const shown = async (image: string): Promise<readonly unknown[]> => {
        await dockerd.docker(['create', '--name', `of-${image}`, `${image}:1`, 'sh'])
        await dockerd.docker(['export', '-o', folder.file(image), `of-${image}`])
        return (await entries(readFileSync(folder.file(image)))).map(withoutNewTimes)
      }
      const [ours, theirs] = [await shown('ours'), await shown('committed')]
      assert.ok(theirs.length > 60)
      assert.deepEqual(ours, theirs)
    })
  })
})

/** Puts another layer on top of an image that `docker save` has written, and calls it `ours:1`. */
async function replaceTopLayer(saved: string, layer: Buffer): Promise<void> {
  const path = `${saved}/manifest.json`
  const [manifest] = JSON.parse(readFileSync(path, 'utf8'))
  const config = JSON.parse(readFileSync(`${saved}/${manifest.Config}`, 'utf8'))
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`
  config.rootfs.diff_ids.splice(-1, 1, diffId)
  writeFileSync(`${saved}/ours.tar`, layer)
  writeFileSync(`${saved}/ours.json`, JSON.stringify(config))
  const Layers = [...manifest.Layers.slice(0, -1), 'ours.tar']
  writeFileSync(path, JSON.stringify([{ Config: 'ours.json', RepoTags: ['ours:1'], Layers }]))
}

/** Layers do not say when something in a directory was changed; what dockerd adds to each container is new. */
function withoutNewTimes(entry: Entry): unknown {
  const isOfImage = /^(?:a|bin|dir)\//.test(entry.name) && entry.type !== 'directory'
  return isOfImage ? entry : { ...entry, time: 0 }
}

/** A request about an archive; `path` may have more of the query behind it. */
async function call(
  { socket }: Dockerd,
  method: string,
  ...[container, path, body]: readonly [container: string, path: string, body?: Buffer]
): Promise<Answer> {
  const [name = '', ...rest] = path.split('&')
  const query = [`path=${encodeURIComponent(name)}`, ...rest].join('&')
  const url = `/v1.41/containers/${container}/archive?${query}`
  return await ask(socket, method, url, body)
}

const entries = (bytes: Buffer): Promise<readonly Entry[]> => entriesOf(Readable.from([bytes]))

async function unpack(archive: Buffer, target: string): Promise<void> {
  await run('mkdir', [target])
  const path = `${target}.tar`
  writeFileSync(path, archive)
  await run('tar', [
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-xpf',
    path,
    '-C',
    target,
  ])
}

/** Without times that are those of the request. */
function withoutNow(entry: Entry): Omit<Entry, 'time'> & { readonly time: number | undefined } {
  const isNow = (entry.time ?? 0) > Date.now() - 3_600_000
  return { ...entry, time: isNow ? undefined : entry.time }
}
