import assert from 'node:assert/strict'
import type { FileAction } from '#builder/files'
import { copy, type Listing, NOW, type WorkspaceFiles, workspace } from './fixture.ts'

/** The time of every file of the fixture, in milliseconds. */
const KEPT = 1_600_000_000_000

interface Case extends WorkspaceFiles {
  readonly name: string
  readonly actions: readonly FileAction[]
  /** What the layer has; `now`: as new as the step. */
  readonly layer: readonly string[]
}

const heredoc = (destination: string): FileAction => {
  return { kind: 'write', name: 'H', data: 'text', destination }
}

/** Each is what BuildKit makes of the like. */
const CASES: readonly Case[] = [
  {
    name: 'a file into a folder',
    root: ['usr/bin/'],
    source: ['f'],
    actions: [copy('f', '/usr/bin/')],
    layer: ['usr', 'usr/bin now', 'usr/bin/f'],
  },
  {
    name: 'a file in the place of another',
    root: ['usr/bin/f =old'],
    source: ['f'],
    actions: [copy('f', '/usr/bin/f')],
    layer: ['usr', 'usr/bin now', 'usr/bin/f'],
  },
  {
    name: 'a file into new folders',
    root: ['usr/'],
    source: ['f'],
    actions: [copy('f', '/usr/a/b/')],
    layer: ['usr now', 'usr/a now', 'usr/a/b now', 'usr/a/b/f'],
  },
  {
    name: 'the content of a folder: the time of that',
    root: ['opt/app/'],
    source: ['d/sub/f'],
    actions: [copy('d/', '/opt/app/')],
    layer: ['opt', 'opt/app', 'opt/app/sub', 'opt/app/sub/f'],
  },
  {
    name: 'a folder and then a file',
    root: ['opt/app/'],
    source: ['d/f', 'g'],
    actions: [copy(['d/', 'g'], '/opt/app/')],
    layer: ['opt', 'opt/app now', 'opt/app/f', 'opt/app/g'],
  },
  {
    name: 'a file and then a folder',
    root: ['opt/app/'],
    source: ['d/f', 'g'],
    actions: [copy(['g', 'd/'], '/opt/app/')],
    layer: ['opt', 'opt/app', 'opt/app/f', 'opt/app/g'],
  },
  {
    name: 'through a link',
    root: ['usr/lib/', 'lib -> usr/lib'],
    source: ['f'],
    actions: [copy('f', '/lib/')],
    layer: ['usr', 'usr/lib now', 'usr/lib/f'],
  },
  {
    name: 'a heredoc',
    root: ['etc/'],
    actions: [heredoc('/etc/h')],
    layer: ['etc now', 'etc/h now'],
  },
  {
    name: 'WORKDIR',
    root: ['usr/'],
    actions: [{ kind: 'mkdir', path: '/usr/a', mode: 0o755 }],
    layer: ['usr now', 'usr/a now'],
  },
  {
    name: 'folders on the way to what --parents selects',
    root: ['opt/'],
    source: ['p/d/sub/f', 'p/d/other'],
    actions: [copy('p/./d/sub/f', '/opt/', { parents: true })],
    layer: ['opt', 'opt/d now', 'opt/d/sub now', 'opt/d/sub/f'],
  },
  {
    name: 'nothing into a folder that is there',
    root: ['opt/app/ 0700 1:2'],
    source: ['empty/'],
    actions: [copy('empty/', '/opt/app/')],
    layer: [],
  },
  {
    name: 'nothing, with another owner and mode, into a folder that is there',
    root: ['opt/app/'],
    source: ['empty/'],
    actions: [copy('empty/', '/opt/app/', { owner: { user: '5' }, chmod: '700' })],
    layer: [],
  },
  {
    name: 'nothing into a new folder',
    root: ['opt/'],
    source: ['empty/'],
    actions: [copy('empty/', '/opt/new/')],
    layer: ['opt now', 'opt/new'],
  },
  {
    name: 'nothing that is not excluded',
    root: ['opt/app/'],
    source: ['d/f'],
    actions: [copy('d/', '/opt/app/', { exclude: ['*'] })],
    layer: [],
  },
  {
    name: 'what is there already',
    root: ['opt/d/f =same', 'opt/d/l -> f', 'opt/d/sub/'],
    source: ['d/f =same', 'd/l -> f', 'd/sub/'],
    actions: [copy('d/', '/opt/d/')],
    layer: [],
  },
  {
    name: 'what is there already, but for content, mode or what a link says',
    root: ['opt/f =one', 'opt/g =g', 'opt/h', 'opt/l -> f', 'opt/sub/'],
    source: ['d/f =two', 'd/g =g', 'd/h 0755', 'd/l -> g', 'd/sub/ 0700'],
    actions: [copy('d/', '/opt/')],
    layer: ['opt', 'opt/f', 'opt/h', 'opt/l', 'opt/sub'],
  },
  {
    name: 'a file of several blocks that differs in its last byte',
    root: [`opt/f =${'x'.repeat(200_000)}y`],
    source: [`f =${'x'.repeat(200_000)}z`],
    actions: [copy('f', '/opt/')],
    layer: ['opt now', 'opt/f'],
  },
]

/** Names every folder, so that each has the time of the fixture. */
function withFolders(listing: Listing = []): Listing {
  const named = new Set(listing.map((line) => line.split(' ')[0]))
  const folders = listing.flatMap((line) => {
    const parts = (line.split(' ')[0] ?? '').replace(/\/$/, '').split('/')
    return parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
  })
  return [...new Set(folders.filter((folder) => !named.has(folder))), ...listing]
}

describe('times and entries of a COPY', () => {
  for (const { name, actions, layer, root, source } of CASES) {
    it(name, async () => {
      using space = workspace({ root: withFolders(root), source: withFolders(source) })
      using result = await space.run(actions)
      const lines = [...result.changes].map((change) => {
        const time = change.kind === 'entry' ? change.stat.mtimeMs : undefined
        return time === KEPT ? change.path : `${change.path} ${time === NOW ? 'now' : time}`
      })
      assert.deepEqual(lines, layer)
    })
  }

  it('has the digest of what it leaves out', async () => {
    const listing = ['d/f =same', 'd/g =new']
    using space = workspace({ root: ['opt/f =same'], source: listing })
    using one = await space.run([copy('d/', '/opt/')])
    assert.deepEqual(
      [...one.changes].map(({ path }) => path),
      ['opt', 'opt/g'],
    )
    using two = await space.run([copy('d/', '/other/')])
    assert.equal([...two.changes].length, 3)
    assert.equal(one.contentDigest(), two.contentDigest())
  })
})
