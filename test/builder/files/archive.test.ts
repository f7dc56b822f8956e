import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type CopyAction, checksumFileActions } from '#builder/files'
import { ensurePackages } from '../../support/peers/index.ts'
import {
  directory,
  file,
  hardlink,
  header,
  pax,
  paxBody,
  symlink,
  tar,
} from '../../support/raw-tar/index.ts'
import { copy, type Listing, makeFiles, readFile, type Workspace, workspace } from './fixture.ts'

const add = (path: string, destination: string, options: Partial<CopyAction> = {}) =>
  copy(path, destination, { unpack: 'auto', ...options })

/** Puts a tar of a listing into the source, as `name`. */
function archive(
  space: Workspace,
  name: string,
  listing: Listing,
  members: string[] = ['.'],
): Buffer {
  const folder = space.directory.file(`for-${name}`)
  makeFiles(folder, listing)
  const file = space.directory.file(`source/${name}`)
  execFileSync('tar', ['--sort=name', '-cf', file, '-C', folder, ...members])
  return readFileSync(file)
}

const LISTING: Listing = ['d/ 0750 5:6', 'd/f 04711 7:8 =text', 'd/g => d/f', 'l -> d', '.wh']
const UNPACKED: Listing = [
  'x/ 0755 0:0',
  'x/.wh 0644 0:0 =.wh',
  'x/d/ 0750 5:6',
  'x/d/f 04711 7:8 =text',
  'x/d/g => x/d/f',
  'x/l 0:0 -> d',
]

describe('ADD of archives', () => {
  before(() => ensurePackages())

  it('unpacks a plain, a gzip and a zstd tar, whatever its name', async () => {
    using space = workspace({})
    const tar = archive(space, 'plain.txt', LISTING)
    writeFileSync(space.directory.file('source/gz'), gzipSync(tar))
    writeFileSync(space.directory.file('source/zst'), zstdCompressSync(tar))
    for (const name of ['plain.txt', 'gz', 'zst']) {
      assert.deepEqual(await space.show([add(name, '/x')]), UNPACKED)
    }
  })

  it('leaves it packed for COPY', async () => {
    using space = workspace({})
    archive(space, 'a.tar', LISTING)
    assert.equal((await space.show([copy('a.tar', '/x')])).length, 1)
  })

  it('copies what is not an archive: empty, text, gzip of text, zero blocks, a broken gzip', async () => {
    using space = workspace({})
    const files: Readonly<Record<string, Buffer>> = {
      'a.tar': Buffer.alloc(0),
      'b.tar': Buffer.from('text'),
      'c.tar.gz': gzipSync('text'.repeat(1000)),
      'd.tar': Buffer.alloc(10240),
      'e.tar.gz': Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    }
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(space.directory.file(`source/${name}`), bytes)
      const [line = '', ...more] = await space.show([add(name, '/x')])
      assert.deepEqual([line.split(' ')[0], more], ['x', []], name)
    }
  })

  it('leaves out what the archive has of the root, as containerd does', async () => {
    const roots: Readonly<Record<string, Buffer>> = {
      'a directory with attributes': directory('./', { mode: 0o700, uid: 5, gid: 6 }),
      'a directory that is closed': directory('.', { mode: 0 }),
      'an owner that cannot be': Buffer.concat([pax({ uid: '4294967301' }), directory('./')]),
      'a link': symlink('.', '/etc'),
      'a file': file('./', 'data'),
      'a file without a slash': file('.', 'data'),
      'a file without a name': file('', 'data'),
      'a pipe': header({ name: '.', type: '6' }),
      'a whiteout device': header({ name: '/', type: '3' }),
      'a hard link': hardlink('.', 'f'),
      'a name that leads back': directory('a/..', { mode: 0o700 }),
    }
    for (const [what, root] of Object.entries(roots)) {
      using space = workspace({})
      for (const parts of [
        [root, file('f', 'text')],
        [file('f', 'text'), root],
      ]) {
        writeFileSync(space.directory.file('source/a.tar'), tar(...parts))
        const shown = await space.show([add('a.tar', '/x')])
        assert.deepEqual(shown, ['x/ 0755 0:0', 'x/f 0644 0:0 =text'], what)
      }
    }
  })

  it('unpacks archives without a file, and copies what has no entry', async () => {
    const empty: Readonly<Record<string, Buffer>> = {
      'the root only': tar(directory('./', { mode: 0o700 })),
      'records for all': tar(pax({ comment: 'a commit' }, 'g')),
      'records for all, without an end': pax({ comment: 'a commit' }, 'g'),
    }
    for (const [what, bytes] of Object.entries(empty)) {
      using space = workspace({})
      writeFileSync(space.directory.file('source/a.tar'), bytes)
      assert.deepEqual(await space.show([add('a.tar', '/x/')]), ['x/ 0755 0:0'], what)
    }
    const copied: Readonly<Record<string, Buffer>> = {
      'records for an entry that is not there': tar(pax({ mtime: '1' })),
      'records that are none': tar(paxBody('99 path=x\n'), file('f', 'text')),
      'zeros, packed': gzipSync(Buffer.alloc(10240)),
      'nothing, packed': gzipSync(Buffer.alloc(0)),
      'a zero block': Buffer.alloc(512),
    }
    for (const [what, bytes] of Object.entries(copied)) {
      using space = workspace({})
      writeFileSync(space.directory.file('source/a.tar'), bytes)
      const [, line = ''] = await space.show([add('a.tar', '/x/')])
      assert.match(line, /^x\/a\.tar /, what)
    }
  })

  it('gives a directory what the archive has, also where a link in it leads', async () => {
    using space = workspace({})
    const parts = [directory('d/'), symlink('l', 'd'), directory('l/sub/', { mode: 0o711, uid: 7 })]
    writeFileSync(space.directory.file('source/a.tar'), tar(...parts))
    assert.deepEqual(await space.show([add('a.tar', '/x')]), [
      'x/ 0755 0:0',
      'x/d/ 0755 0:0',
      'x/d/sub/ 0711 7:0',
      'x/l 0:0 -> d',
    ])
  })

  it('unpacks xz and bzip2', async () => {
    using space = workspace({})
    archive(space, 'a', LISTING)
    for (const program of ['xz', 'bzip2']) {
      const file = space.directory.file(`source/${program}`)
      writeFileSync(file, execFileSync(program, ['-c', space.directory.file('source/a')]))
      assert.deepEqual(await space.show([add(program, '/x')]), UNPACKED, program)
    }
  })

  it('copies what only begins like xz or bzip2', async () => {
    using space = workspace({})
    for (const start of ['fd377a585a00', '425a6839', '425a68393141592653590000']) {
      writeFileSync(space.directory.file('source/a'), Buffer.from(start, 'hex'))
      assert.equal((await space.show([add('a', '/x')])).length, 1)
    }
  })

  it('gives everything to --chown, and leaves modes alone', async () => {
    using space = workspace({})
    archive(space, 'a.tar', ['d/ 0750 5:6', 'd/f 0640 7:8 =text'])
    const action = add('a.tar', '/x/', { owner: { user: '9' }, chmod: '0777' })
    assert.deepEqual(await space.show([action]), [
      'x/ 0755 9:9',
      'x/d/ 0750 9:9',
      'x/d/f 0640 9:9 =text',
    ])
  })

  it('merges as tar does: directories take what the archive has, others are replaced', async () => {
    using space = workspace({
      root: ['x/ 0711 1:1', 'x/d/ 0700 2:2', 'x/d/kept', 'x/f/', 'x/f/gone', 'x/g', 'x/l -> d'],
    })
    archive(space, 'a.tar', [
      'd/ 0750 5:6',
      'd/new =new',
      'f =file',
      'g/',
      'g/in =in',
      'l/',
      'l/in =in',
    ])
    assert.deepEqual(await space.show([add('a.tar', '/x')]), [
      'x/ 0711 1:1',
      'x/d/ 0750 5:6',
      'x/d/new 0644 0:0 =new',
      'x/f 0644 0:0 =file',
      'x/g/ 0755 0:0',
      'x/g/in 0644 0:0 =in',
      'x/l/ 0755 0:0',
      'x/l/in 0644 0:0 =in',
    ])
  })

  it('keeps directories that the archive does not name, and follows links to them', async () => {
    using space = workspace({ root: ['tmp/ 01777', 'usr/', 'usr/lib/ 0711 3:3', 'lib -> usr/lib'] })
    archive(
      space,
      'a.tar',
      ['tmp/f =f', 'lib/g =g', 'new/deep/h =h'],
      ['tmp/f', 'lib/g', 'new/deep/h'],
    )
    assert.deepEqual(await space.show([add('a.tar', '/')]), [
      'new/ 0755 0:0',
      'new/deep/ 0755 0:0',
      'new/deep/h 0644 0:0 =h',
      'tmp/ 01777 0:0',
      'tmp/f 0644 0:0 =f',
      'usr/ 0755 0:0',
      'usr/lib/ 0711 3:3',
      'usr/lib/g 0644 0:0 =g',
    ])
  })

  it('reads archives of many megabytes', async () => {
    using space = workspace({ root: ['late/ 0700 4:4'] })
    const bytes = 'x'.repeat(8 << 20)
    archive(space, 'a.tar', [`big =${bytes}`, 'late/ 0750'])
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const [big = '', late] = await space.show([add('a.tar', '/')])
    await setImmediate()
    process.off('warning', onWarning)
    assert.equal(big.length, 'big 0644 0:0 ='.length + bytes.length)
    assert.equal(late, 'late/ 0750 0:0')
    assert.deepEqual(warnings, [])
  })

  it('hides what a replaced directory had, also after two archives', async () => {
    using space = workspace({ root: ['x/', 'x/d/', 'x/d/old'] })
    archive(space, 'a.tar', ['d =file'])
    archive(space, 'b.tar', ['d/', 'd/new =new'])
    assert.deepEqual(await space.show([add('a.tar', '/x'), add('b.tar', '/x')]), [
      'x/ 0755 0:0',
      'x/d/ 0755 0:0',
      'x/d opaque',
      'x/d/new 0644 0:0 =new',
    ])
  })

  it('tests every match of a wildcard on its own', async () => {
    using space = workspace({ source: ['a.txt =text'] })
    archive(space, 'b.tar', ['in =in'])
    assert.deepEqual(await space.show([add('*', '/x/')]), [
      'x/ 0755 0:0',
      'x/a.txt 0644 0:0 =text',
      'x/in 0644 0:0 =in',
    ])
  })

  it('fails for a damaged archive, naming it', async () => {
    using space = workspace({})
    const tar = archive(space, 'a.tar', ['f =text', 'g =text'])
    tar[3 * 512 + 148] = 0x39
    writeFileSync(space.directory.file('source/a.tar'), tar)
    await assert.rejects(space.run([add('a.tar', '/x')]), {
      code: 'LAYER_INVALID',
      message: /^unpack "\/a\.tar": /,
    })
  })

  it('counts in the cache key by the bytes of the archive', async () => {
    using space = workspace({})
    archive(space, 'a.tar', LISTING)
    const actions = [add('a.tar', '/x')]
    const { content } = checksumFileActions(actions, {
      root: space.root,
      sources: space.sources,
      read: readFile,
    })
    using result = await space.run(actions)
    assert.equal(result.contentDigest(), content)
  })
})
