import assert from 'node:assert/strict'
import { chmodSync, lutimesSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { checksumFileActions, type FileAction, type FilesInput } from '#builder/files'
import { writeLayer } from '#builder/layer'
import { makeNode } from '#builder/linux'
import { type Digest, digestOf, type Name } from '#core'
import type { FilesOptions } from '../../../builder/files/run.ts'
import { copy, type Listing, readFile, type Workspace, workspace } from './fixture.ts'

function contentOf(space: Workspace, actions: readonly FileAction[]): Digest {
  const { root, sources } = space
  return checksumFileActions(actions, { root, sources, read: readFile }).content
}

/** The digest of the actions that writing the layer gives, and how much was read besides. */
async function contentWhileWriting(
  space: Workspace,
  actions: readonly FileAction[],
): Promise<{ readonly content: Digest; readonly besides: number }> {
  const [tree] = space.sources
  assert.ok(tree)
  const { openFile } = tree
  let opened = 0
  tree.openFile = (path) => {
    opened++
    return openFile.call(tree, path)
  }
  using result = await space.run(actions)
  let written = 0
  const onFile = (path: Name, digest: Digest) => {
    written++
    result.onFile(path, digest)
  }
  writeLayer(result.changes, { tar: space.directory.file(`${Math.random()}.tar`) }, { onFile })
  const content = result.contentDigest()
  tree.openFile = openFile
  return { content, besides: opened - written }
}

const SOURCE: Listing = [
  'd/ 0750',
  'd/a =one',
  'd/b => d/a',
  'd/c 0755 1:2 =three',
  'd/l -> a',
  'd/sub/',
  'd/sub/deep =four',
  'e =five',
  'link -> d',
]

describe('content of a selection', () => {
  it('counts a socket as the empty file that it becomes', async () => {
    using space = workspace({ source: SOURCE })
    const [lone, among] = [copy('d/s', '/x'), copy('d', '/x')].map((action) => [action])
    assert.ok(lone && among)
    const path = space.directory.file('source/d/s')
    const without = contentOf(space, among)
    makeNode(path, 'socket', { mode: 0o640 })
    const [alone, within] = [contentOf(space, lone), contentOf(space, among)]
    assert.notEqual(within, without)
    assert.equal((await contentWhileWriting(space, lone)).content, alone)
    assert.equal((await contentWhileWriting(space, among)).content, within)
    rmSync(path)
    writeFileSync(path, '', { mode: 0o640 })
    assert.deepEqual([contentOf(space, lone), contentOf(space, among)], [alone, within])
    chmodSync(path, 0o600)
    assert.notEqual(contentOf(space, lone), alone)
  })

  it('is the same from reading and from writing the layer, each file read once', async () => {
    using space = workspace({ source: SOURCE })
    const lists: readonly (readonly FileAction[])[] = [
      [copy('.', '/x')],
      [copy(['d', 'e'], '/x/', { owner: { user: '5' }, chmod: '700' }), copy('link', '/y')],
      [copy(['e', 'd'], '/x/'), copy('.', '/x/d')],
      [copy('e', '/y'), { kind: 'mkdir', path: '/z', mode: 0o755 }, copy('d/sub', '/x')],
    ]
    for (const actions of lists) {
      const { content, besides } = await contentWhileWriting(space, actions)
      assert.equal(content, contentOf(space, actions))
      assert.equal(besides, 0)
    }
  })

  it('gives the digest of every selected file, by its place in the source', async () => {
    using space = workspace({ source: SOURCE })
    const seen: string[] = []
    const onContent: FilesOptions['onContent'] = ({ path, stat }, { digest }) => {
      assert.equal(stat.size, stat.identity?.size)
      seen.push(`${path} ${digest.slice(7, 11)}`)
    }
    using result = await space.run([copy('link', '/x'), copy('e', '/y')], { onContent })
    result.contentDigest()
    const digestOfText = (text: string) => digestOf(text).slice(7, 11)
    assert.deepEqual(seen, [
      `d/a ${digestOfText('one')}`,
      `d/b ${digestOfText('one')}`,
      `d/c ${digestOfText('three')}`,
      `d/sub/deep ${digestOfText('four')}`,
      `e ${digestOfText('five')}`,
    ])
  })

  it('is the same from both where --chmod decides whether a capability is copied', async () => {
    using space = workspace({ source: ['plain 0644 =x', 'program 0755 =x'] })
    const [tree] = space.sources
    assert.ok(tree)
    tree.xattrs = () => new Map([['security.capability', Buffer.of(1)]])
    for (const [name, chmod] of [
      ['plain', '755'],
      ['program', '644'],
    ] as const) {
      const actions = [copy(name, '/x', { chmod })]
      const { content } = await contentWhileWriting(space, actions)
      assert.equal(content, contentOf(space, actions))
    }
  })

  it('is another one with another capability of what --chmod makes a program', () => {
    using space = workspace({ source: ['plain 0644 =x'] })
    const [tree] = space.sources
    assert.ok(tree)
    const contents = [1, 2].map((byte) => {
      tree.xattrs = () => new Map([['security.capability', Buffer.of(byte)]])
      return [{ chmod: '755' }, {}].map((options) =>
        contentOf(space, [copy('plain', '/x', options)]),
      )
    })
    assert.notEqual(contents[0]?.[0], contents[1]?.[0])
    assert.equal(contents[0]?.[1], contents[1]?.[1])
  })

  it('names the file that cannot be read', () => {
    using space = workspace({ source: ['a'] })
    const input = {
      root: space.root,
      sources: space.sources,
      read: () => {
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
      },
    }
    assert.throws(() => checksumFileActions([copy('a', '/x')], input), {
      code: 'IO_FAILED',
      message: 'read "/a": EIO: i/o error, read',
    })
  })

  it('is the same also where a file was replaced by a later one', async () => {
    using space = workspace({ source: SOURCE })
    const actions = [copy(['d/a', 'e', 'd'], '/x/'), copy('e', '/x/c')]
    const { content } = await contentWhileWriting(space, actions)
    assert.equal(content, contentOf(space, actions))
  })

  it('does not depend on times and on the order in which files were made', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(names, fc.nat(1_000_000), (list, time) => {
        const listing = list.map((name) => `d/${name} =${name}`)
        using one = workspace({ source: ['d/', ...listing] })
        using two = workspace({ source: ['d/', ...listing.toReversed()] })
        touchAll(two.directory.file('source'), time)
        assert.equal(contentOf(two, [copy('d', '/x')]), contentOf(one, [copy('d', '/y')]))
      }),
      { numRuns: 25 },
    )
  })

  it('depends on names, content, modes, owners, links; not on where a folder lies', () => {
    const digest = (listing: Listing, path = 'd') => {
      using space = workspace({ source: listing })
      return contentOf(space, [copy(path, '/x')])
    }
    const base = digest(['d/', 'd/a =1', 'd/s/'])
    assert.equal(digest(['d/ 0700 3:3', 'd/a =1', 'd/s/']), base)
    assert.equal(digest(['other/', 'other/a =1', 'other/s/'], 'other'), base)
    assert.equal(digest(['d/', 'd/a =1', 'd/s/', 'unselected']), base)
    const others = [
      ['d/', 'd/a =2', 'd/s/'],
      ['d/', 'd/b =1', 'd/s/'],
      ['d/', 'd/a =1'],
      ['d/', 'd/a =1', 'd/s/ 0700'],
      ['d/', 'd/a =1', 'd/s'],
      ['d/', 'd/a 0600 =1', 'd/s/'],
      ['d/', 'd/a 0:5 =1', 'd/s/'],
      ['d/', 'd/a -> 1', 'd/s/'],
      ['d/', 'd/a =1', 'd/s/', 'd/s/x'],
    ].map((listing) => digest(listing))
    assert.equal(new Set([base, ...others]).size, others.length + 1)
  })

  it('depends on the name of a selected file, and distinguishes files from directories', () => {
    using space = workspace({ source: ['a =x', 'b =x', 'd/', 'd/a =x'] })
    const digests = ['a', 'b', 'd'].map((path) => contentOf(space, [copy(path, '/x')]))
    assert.equal(new Set(digests).size, 3)
  })

  it('opens a file only when its digest is not known', () => {
    using space = workspace({ source: ['a =x'] })
    const known = contentOf(space, [copy('a', '/x')])
    let asked = 0
    const remembered: FilesInput['read'] = (file) => {
      asked += 1
      assert.equal(file.stat.identity?.size, 1)
      return readFile(file)
    }
    const input = { root: space.root, sources: space.sources, read: remembered }
    assert.equal(checksumFileActions([copy('a', '/x')], input).content, known)
    assert.equal(asked, 1)
  })

  it('fails for what is missing as the copy does', () => {
    using space = workspace({ source: ['a'] })
    assert.throws(() => contentOf(space, [copy('c', '/x')]), { code: 'NOT_FOUND' })
  })
})

function touchAll(folder: string, time: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) touchAll(path, time)
    if (entry.isSymbolicLink()) lutimesSync(path, time, time)
    else utimesSync(path, time, time)
  }
}
