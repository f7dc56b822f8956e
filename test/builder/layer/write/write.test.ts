import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { changesOf, stackTree, treeChanges, writeFiles, writeLayer } from '#builder/layer'
import { makeNode, setXattr } from '#builder/linux'
import { type Change, type FileStat, type Name, nameOf } from '#core'
import { hasTool, isRoot, temporary } from '../support/files.ts'
import { listing } from '../support/listing.ts'

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex')

function statWith(fields: Partial<FileStat>): FileStat {
  const zero = { mode: 0o644, uid: 0, gid: 0, size: 0, mtimeMs: 0, major: 0, minor: 0 }
  return { type: 'file', ...zero, inode: '', nlink: 1, ...fields }
}

function entry(path: string, fields: Partial<FileStat> = {}, rest: object = {}): Change {
  const content =
    fields.type === undefined || fields.type === 'file' ? { data: Buffer.alloc(0) } : {}
  return { kind: 'entry', path: path as Name, stat: statWith(fields), ...content, ...rest }
}

/** A directory that hands u::rwx, g::---, o::--- down, as setfacl(1) -d would set it. */
function makeListed(path: string): void {
  mkdirSync(path)
  const list = Buffer.from('0200000001000700ffffffff04000000ffffffff20000000ffffffff', 'hex')
  setXattr(path, 'system.posix_acl_default', list)
}

describe('writing a layer', () => {
  const files = temporary()

  function written(changes: Iterable<Change>): Buffer {
    const path = files.fresh()
    const { diffId, size } = writeLayer(changes, { tar: path })
    const bytes = readFileSync(path)
    assert.equal(diffId, `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    assert.equal(size, bytes.length)
    return bytes
  }

  /** A tree with one of everything. */
  function sample(): string {
    const root = files.fresh()
    const at = (name: string) =>
      Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')])
    mkdirSync(root)
    for (const path of ['b', 'b/deep', `b/${'n'.repeat(200)}`, 'empty']) mkdirSync(at(path))
    writeFileSync(at('b/run'), 'x', { mode: 0o755 })
    writeFileSync(at('b/none'), 'secret')
    writeFileSync(at(`b/deep/${'l'.repeat(120)}`), 'long name')
    writeFileSync(at(`b/${'n'.repeat(200)}/${'m'.repeat(200)}`), 'longer')
    writeFileSync(at('b/caf\xe9'), 'not UTF-8')
    writeFileSync(at('b/caf\xc3\xa9'), 'UTF-8')
    writeFileSync(at('big'), Buffer.alloc(3_000_001, 'abc'))
    writeFileSync(at('block'), Buffer.alloc(512, 1))
    linkSync(at('b/run'), at('b/hard'))
    linkSync(at('b/run'), at('a-hard'))
    symlinkSync('b/run', at('soft'))
    symlinkSync(`${'t'.repeat(150)}\xe9`, at('soft2'))
    makeNode(at('fifo'), 'fifo', { mode: 0o640 })
    execFileSync('chmod', ['0', `${root}/b/none`])
    if (isRoot) {
      makeNode(at('null'), 'character', { mode: 0o666, major: 1, minor: 3 })
      makeNode(at('loop'), 'block', { mode: 0o600, major: 7, minor: 300 })
      execFileSync('chown', ['-h', '70000:3000000', `${root}/soft`, `${root}/b/deep`])
      execFileSync('chmod', ['6755', `${root}/b/run`])
      setXattr(`${root}/big`, 'security.capability', CAPABILITY)
      setXattr(`${root}/big`, 'user.note', Buffer.from('stays here'))
    }
    execFileSync('chmod', ['3751', `${root}/empty`])
    for (const name of ['b', 'big', 'empty', 'block']) utimesSync(at(name), 1, 1_234_567_890.75)
    execFileSync('touch', ['-d', '1960-01-01', `${root}/b/none`])
    execFileSync('touch', ['-h', '-d', '@9000000000', `${root}/soft`])
    return root
  }

  describe('is read by others as it was:', () => {
    const readers: readonly (readonly [tool: string, unpack: (tar: string, to: string) => void])[] =
      [
        [
          'tar',
          (from, to) =>
            execFileSync('tar', [
              '--xattrs',
              '--xattrs-include=*',
              '--warning=no-timestamp',
              '-xpf',
              from,
              '-C',
              to,
            ]),
        ],
        [
          'python3',
          (from, to) => {
            const script =
              'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], numeric_owner=True)'
            execFileSync('python3', ['-c', script, from, to], {
              env: { ...process.env, PYTHONUTF8: '1' },
            })
          },
        ],
        ['umoci', (from, to) => execFileSync('cp', ['-aT', umociRootfs(from), to])],
      ]
    for (const [tool, unpack] of readers) {
      it(tool, function () {
        if (!isRoot || !hasTool(tool)) this.skip()
        const root = sample()
        const from = files.fresh()
        const to = files.fresh()
        mkdirSync(to)
        writeLayer(changesOf(root), { tar: from })
        unpack(from, to)
        let expected = listing(root, { directoryTimes: tool !== 'umoci' })
        let actual = listing(to, { directoryTimes: tool !== 'umoci' })
        assert(expected.length > 15)
        if (tool === 'python3') {
          // It sets neither capabilities nor the times of symbolic links.
          const plain = (line: string) =>
            line.replace(/ security\.cap.*/, '').replace(/ @\d+ ->/, ' ->')
          expected = expected.map(plain)
          actual = actual.map(plain)
        }
        assert.deepEqual(actual, expected)
      })
    }

    function umociRootfs(from: string): string {
      const layout = files.fresh()
      const bundle = files.fresh()
      writeOciLayout(layout, readFileSync(from))
      execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { stdio: 'pipe' })
      return join(bundle, 'rootfs')
    }
  })

  it('has an equal tree in the directory, times and all', function () {
    if (!isRoot) this.skip()
    const root = sample()
    const [tar, directory, alone] = [files.fresh(), files.fresh(), files.fresh()]
    const both = writeLayer(changesOf(root), { tar, directory })
    const expected = listing(root, { directoryTimes: true })
    assert.deepEqual(listing(directory, { directoryTimes: true }), expected)
    assert.deepEqual(writeLayer(changesOf(root), { directory: alone }), {})
    assert.deepEqual(listing(alone, { directoryTimes: true }), expected)
    assert.deepEqual(writeLayer(changesOf(root), { tar: files.fresh() }), both)
    const [from, to] = [statSync(join(root, 'big')), statSync(join(directory, 'big'))]
    assert(Math.abs(from.mtimeMs - to.mtimeMs) < 0.001)
  })

  it('is sorted, parents first, hard links by their first name', async () => {
    const names: string[] = []
    const links: string[] = []
    const root = files.fresh()
    for (const path of ['', 'b', 'a', 'b/c', 'a-b']) mkdirSync(join(root, path))
    for (const path of ['a/z', 'b/c/y', 'a.', 'B']) writeFileSync(join(root, path), path)
    linkSync(join(root, 'a/z'), join(root, 'zz'))
    linkSync(join(root, 'a/z'), join(root, 'b/x'))
    const reader = extract()
    reader.end(written(changesOf(root)))
    for await (const member of reader) {
      const { header } = member
      names.push(header.name)
      if (header.type === 'link') links.push(`${header.name} = ${header.linkname}`)
      assert.deepEqual([header.uname, header.gname], ['', ''])
      member.resume()
    }
    assert.deepEqual(names, ['B', 'a/', 'a/z', 'a-b/', 'a.', 'b/', 'b/c/', 'b/c/y', 'b/x', 'zz'])
    assert.deepEqual(links, ['b/x = a/z', 'zz = a/z'])
  })

  it('has no PAX records where ustar is enough', () => {
    const changes = [
      entry('d', { type: 'directory', mode: 0o7777, uid: 0o7777777, gid: 0o7777777 }),
      entry(`d/${'x'.repeat(98)}`, { mtimeMs: 0o77777777777 * 1000 }),
      entry(`${'p'.repeat(155)}/${'x'.repeat(100)}`),
      entry('l', { type: 'symlink' }, { target: 't'.repeat(100) }),
    ]
    assert.equal(written(changes).length, changes.length * 512 + 1024)
  })

  it('has PAX records where it is not', () => {
    const list = (change: Change) => {
      const [first = '', ...rest] = written([change]).toString('latin1').split('ustar')
      assert(first.startsWith('PaxHeaders.0\0'))
      assert.equal(rest.length, 2, 'one extended header and one header')
      return rest[0]?.slice(250).replace(/\0.*$/s, '')
    }
    assert.equal(list(entry('u', { uid: 0o10000000 })), '15 uid=2097152\n')
    assert.equal(list(entry('g', { gid: 2 ** 32 - 2 })), '18 gid=4294967294\n')
    assert.equal(list(entry('m', { mtimeMs: -1500 })), '12 mtime=-2\n')
    assert.equal(list(entry('m', { mtimeMs: 2 ** 33 * 1000 })), '20 mtime=8589934592\n')
    assert.equal(list(entry(nameOf('é'))), '11 path=\xc3\xa9\n')
    assert.equal(list(entry('\xff')), '9 path=\xff\n')
    assert.equal(list(entry('l', { type: 'symlink' }, { target: '\xff' })), '14 linkpath=\xff\n')
    assert.equal(list(entry('x'.repeat(101))), `111 path=${'x'.repeat(101)}\n`)
    const xattrs = new Map([['security.capability', Buffer.from('a\0\n\xff', 'latin1')]])
    const body = list(entry('c', {}, { xattrs }))
    assert.equal(body, '41 SCHILY.xattr.security.capability=a')
  })

  it('deletes with empty files of mode 0', () => {
    const changes: Change[] = [
      entry('d', { type: 'directory' }),
      { kind: 'opaque', path: 'd' as Name },
      { kind: 'whiteout', path: 'd/x' as Name },
      { kind: 'whiteout', path: 'y' as Name },
    ]
    const tar = files.fresh()
    writeFileSync(tar, written(changes))
    const lines = execFileSync('tar', ['--utc', '--full-time', '-tvf', tar], {
      encoding: 'utf8',
    }).split('\n')
    assert.deepEqual(
      lines.slice(1, 4).map((line) => line.replaceAll(/\s+/g, ' ')),
      [
        '---------- 0/0 0 1970-01-01 00:00:00 d/.wh..wh..opq',
        '---------- 0/0 0 1970-01-01 00:00:00 d/.wh.x',
        '---------- 0/0 0 1970-01-01 00:00:00 .wh.y',
      ],
    )
  })

  it('is the same bytes whatever the order on disk, the time zone and the umask', () => {
    const names = ['m', 'z', 'a', 'é', '10', '9']
    const digests = [names, names.toReversed()].map((order) => {
      const root = files.fresh()
      mkdirSync(root, { mode: 0o755 })
      for (const name of order) writeFileSync(join(root, name), name)
      for (const name of order) utimesSync(join(root, name), 5, 5)
      const script = `import('#builder/layer').then(({ changesOf, writeLayer }) => {
        console.log(writeLayer(changesOf(process.argv[1]), { tar: process.argv[2] }).diffId) })`
      const run = (TZ: string, umask: string) => {
        const command = `umask ${umask}; exec "$0" -e "$1" "$2" "$3"`
        const args = ['-c', command, process.execPath, script, root, files.fresh()]
        return execFileSync('sh', args, {
          env: { TZ },
          encoding: 'utf8',
          cwd: new URL('../../../../..', import.meta.url).pathname,
        })
      }
      return [run('UTC', '022'), run('Asia/Tokyo', '077')]
    })
    assert.equal(new Set(digests.flat()).size, 1)
    assert.match(digests.flat()[0] ?? '', /^sha256:/)
  })

  it('gives files their modes under any umask, and where a directory hands an access list down', () => {
    const modes = [0o644, 0o755, 0o600, 0o777, 0o000, 0o4755]
    const changes = modes.map((mode) => entry(mode.toString(8), { mode }))
    const modesIn = (directory: string): number[] =>
      modes.map((mode) => statSync(join(directory, mode.toString(8))).mode & 0o7777)
    const before = process.umask(0o077)
    try {
      const masked = files.fresh()
      writeLayer(changes, { directory: masked })
      assert.deepEqual(modesIn(masked), modes)
      process.umask(0)
      const parent = files.fresh()
      makeListed(parent)
      writeLayer(changes, { directory: join(parent, 'layer') })
      assert.deepEqual(modesIn(join(parent, 'layer')), modes)
      // The destination itself hands nothing down, a folder that was there before does.
      const destination = files.fresh()
      mkdirSync(destination)
      makeListed(join(destination, 'sub'))
      const folder = entry('sub', { type: 'directory', mode: 0o755 })
      const below = modes.map((mode) => entry(`sub/${mode.toString(8)}`, { mode }))
      writeFiles([folder, ...below], destination)
      assert.deepEqual(modesIn(join(destination, 'sub')), modes)
    } finally {
      process.umask(before)
    }
  })

  it('never changes the umask, which all threads share', () => {
    const { umask } = process
    process.umask = () => assert.fail('to read it is to change it')
    try {
      writeLayer([entry('a')], { directory: files.fresh() })
    } finally {
      process.umask = umask
    }
  })

  it('takes content from memory, and gives the digest of every file', () => {
    const seen: string[] = []
    const directory = files.fresh()
    const data = Buffer.alloc(1_500_000, 'data')
    const { size } = writeLayer(
      [
        entry('a', {}, { data }),
        entry('b', {}, { data: Buffer.from('b') }),
        entry('c', {}, { hardlink: 'b' }),
      ],
      { tar: files.fresh(), directory },
      { onFile: (path, digest) => seen.push(`${path} ${digest}`) },
    )
    const digest = (bytes: Buffer | string) =>
      `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    assert.deepEqual(seen, [`a ${digest(data)}`, `b ${digest('b')}`])
    assert.equal(size, 512 + Math.ceil(data.length / 512) * 512 + 1024 + 512 + 1024)
    assert.deepEqual(readFileSync(join(directory, 'a')), data)
  })

  it('writes to an open descriptor and leaves it open', () => {
    const path = files.fresh()
    const fd = openSync(path, 'w')
    const { size } = writeLayer([entry('a')], { tar: fd })
    closeSync(fd)
    assert.equal(statSync(path).size, size)
  })

  it('leaves sockets out', () => {
    assert.equal(written([entry('s', { type: 'socket' })]).length, 1024)
  })

  describe('refuses, naming the file,', () => {
    const open = (path: string) => () => openSync(path, 'r')

    it('one that grew or shrank while it was read', () => {
      const path = files.fresh()
      writeFileSync(path, Buffer.alloc(1_000_000))
      const change = (size: number) =>
        entry('dir/changing', { size }, { data: undefined, open: open(path) })
      for (const size of [0, 999_999, 1_000_001, 524_288 - 512]) {
        assert.throws(() => written([change(size)]), {
          code: 'IO_FAILED',
          message: /^read "\/dir\/changing": the file (grew|shrank).* while it was read/,
        })
      }
      assert.equal(written([change(1_000_000)]).length, 512 + 1_000_448 + 1024)
      truncateSync(path, 5)
      assert.throws(() => written([change(1_000_000)]), /shrank/)
    })

    it('one whose name would be a deletion', () => {
      assert.throws(() => written([entry('d/.wh.x')]), {
        code: 'LAYER_INVALID',
        message: 'write "/d/.wh.x" to a layer: its name means a deletion',
      })
      writeLayer([entry('.wh.x')], { directory: files.fresh() })
    })

    it('one that cannot be opened', () => {
      const missing = entry(
        'gone',
        { size: 1 },
        { data: undefined, open: open('/nonexistent/gone') },
      )
      assert.throws(() => written([missing]), {
        code: 'IO_FAILED',
        message: /^write "\/gone": ENOENT/,
      })
    })

    it('nothing that exists already: the tar', () => {
      const path = files.fresh()
      writeFileSync(path, 'mine')
      assert.throws(() => writeLayer([], { tar: path }), /EEXIST/)
      assert.equal(readFileSync(path, 'utf8'), 'mine')
    })
  })

  describe('a whole tree', () => {
    it('reads like the upper directory that it came from', function () {
      if (!isRoot) this.skip()
      const root = sample()
      const tree = stackTree([root])
      assert.equal(
        writeLayer(treeChanges(tree), { tar: files.fresh() }).diffId,
        writeLayer(changesOf(root), { tar: files.fresh() }).diffId,
      )
      tree.close()
    })

    it("becomes the current user's files, beside and over what is there", () => {
      const to = files.fresh()
      const outside = files.fresh()
      mkdirSync(to)
      mkdirSync(join(to, 'kept'))
      writeFileSync(outside, 'outside')
      symlinkSync(outside, join(to, 'f'))
      symlinkSync(files.path, join(to, 'd'))
      const stat = { uid: 12345, gid: 12345, mtimeMs: 1_000_500 }
      const changes = [
        entry('d', { ...stat, type: 'directory', mode: 0o500 }),
        entry('d/x', stat, { data: Buffer.from('x') }),
        entry('f', stat, { data: Buffer.from('new') }),
        { kind: 'whiteout', path: 'kept' } as Change,
      ]
      for (let i = 0; i < 2; i++) writeFiles(changes, to)
      assert.deepEqual(readdirSync(to).sort(), ['d', 'f', 'kept'])
      assert.deepEqual(
        [readFileSync(outside, 'utf8'), readFileSync(join(to, 'f'), 'utf8')],
        ['outside', 'new'],
      )
      const { uid, mode, mtimeMs } = statSync(join(to, 'd'))
      assert.deepEqual([uid, mode, mtimeMs], [process.getuid?.(), 0o40500, 1_000_500])
      execFileSync('chmod', ['700', join(to, 'd')])
    })
  })
})

/** An image of one layer, as small as it can be. */
function writeOciLayout(path: string, layer: Buffer): void {
  mkdirSync(join(path, 'blobs/sha256'), { recursive: true })
  const put = (mediaType: string, content: Buffer | string) => {
    const bytes = Buffer.from(content as string)
    const digest = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(path, 'blobs/sha256', digest), bytes)
    return {
      mediaType: `application/vnd.oci.image.${mediaType}`,
      digest: `sha256:${digest}`,
      size: bytes.length,
    }
  }
  const blob = put('layer.v1.tar', layer)
  const rootfs = { type: 'layers', diff_ids: [blob.digest] }
  const config = put(
    'config.v1+json',
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs,
      history: [{ created_by: 'x' }],
    }),
  )
  const manifest = put(
    'manifest.v1+json',
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: [blob],
    }),
  )
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  writeFileSync(
    join(path, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  )
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}
