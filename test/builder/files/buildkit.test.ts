import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type CopyAction, type Owner, runFileActions } from '#builder/files'
import { writeLayer } from '#builder/layer'
import { directoryTree } from '#builder/tree'
import {
  compareTrees,
  ensurePackages,
  readTree,
  run,
  startDockerd,
  type TemporaryDirectory,
  type TreeEntry,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { copy, type Listing, makeFiles, NOW } from './fixture.ts'

const ROOT: Listing = [
  'etc/',
  'etc/passwd =root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n',
  'etc/group =root:x:0:\nstaff:x:50:\n',
  'dir/ 0711 1:1',
  'dir/f 0600 1:1 =old',
  'dir/other 1:1 =other',
  'dir/sub/ 0700 2:2',
  'dir/sub/kept 0640 2:2',
  'dir/ln -> ../file',
  'file 0640 3:3 =old',
  'hard => file',
  'link -> dir',
  'flink -> dir/f',
  'dangling -> missing/deep/target',
  'abs -> /dir/sub',
  'loop/up -> ../../../..',
  'sticky/ 01777',
]

const CONTEXT: Listing = [
  'f =text',
  'g 0600 =g',
  's 06755 =special',
  'd/ 0700',
  'd/f 0640 =inner',
  'd/l -> f',
  'd/sub/ 0750',
  'd/sub/x',
  'd/e/ 01777',
  'd/ln =was a link',
  'h/a =one',
  'h/b => h/a',
  'h/c => h/a',
  'lf -> f',
  'ld -> d',
  'll -> ld/l',
  'up -> ../../../../f',
  'out/x -> /etc/passwd',
  'w/a.c',
  'w/b.c',
  'w/b.h',
  'w/c.c/q',
  'w/c.c/r/s',
  'w/l.c -> b.c',
  '[x]',
  'ümlaut/ß',
]

interface Case {
  readonly paths: readonly string[]
  readonly destination: string
  readonly chown?: string
  readonly chmod?: string
}

const PLAIN: readonly (readonly string[])[] = [
  ['f', '/x'],
  ['f', '/x/'],
  ['f', '/a/b/c'],
  ['f', '/a/b/c/'],
  ['f', '/file'],
  ['f', '/hard'],
  ['f', '/dir'],
  ['f', '/dir/'],
  ['f', '/link'],
  ['f', '/link/f'],
  ['f', '/flink'],
  ['f', '/dangling'],
  ['f', '/dangling/in'],
  ['f', '/abs/new'],
  ['f', '/loop/up/here'],
  ['f', '/sticky/f'],
  ['f', '/dir/ln'],
  ['s', '/s'],
  ['lf', '/dir/'],
  ['ll', '/x/'],
  ['up', '/x'],
  ['out', '/x'],
  ['../../f', '/x'],
  ['d', '/x'],
  ['d', '/x/y/'],
  ['d', '/dir'],
  ['d/', '/link'],
  ['d', '/abs'],
  ['ld', '/x'],
  ['ld/sub', '/x'],
  ['d/e', '/x'],
  ['h', '/x'],
  ['h', 'h/a', '/x/'],
  ['.', '/'],
  ['.', '/dir/sub/'],
  ['w/*', '/x/'],
  ['w/*.c', '/x/'],
  ['w/?.h', '/x'],
  ['w/[a-b].*', '/x/'],
  ['*/f', '/x/'],
  ['w/*/r', '/x/'],
  ['l*', '/x/'],
  ['[[]x]', '/x/'],
  ['ümlaut', '/x'],
  ['ümlaut/?', '/x/'],
  ['f', 'g', '/x'],
  ['f', 'd', 'w/*.h', '/dir/'],
  ['none*', 'f', '/x/'],
]

const CASES: readonly Case[] = [
  ...PLAIN.map((words) => ({ paths: words.slice(0, -1), destination: words.at(-1) ?? '' })),
  { paths: ['d'], destination: '/x/y', chown: '5' },
  { paths: ['d'], destination: '/dir', chown: '5:6' },
  { paths: ['s'], destination: '/s', chown: 'app' },
  { paths: ['d'], destination: '/x', chown: 'app:staff' },
  { paths: ['f'], destination: '/a/b', chown: '7:staff' },
  { paths: ['f'], destination: '/x', chown: 'root:50' },
  // This release of BuildKit keeps the special bits of files and knows those of --chmod not at all.
  { paths: ['f'], destination: '/x', chmod: '0711' },
  { paths: ['h'], destination: '/dir', chmod: '0750' },
]

function ownerOf(chown: string): Owner {
  const [user = '', group] = chown.split(':')
  return group === undefined ? { user } : { user, group }
}

function lineOf({ paths, destination, chown, chmod }: Case): string {
  const flags = [
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
  ]
  return ['COPY', ...flags, JSON.stringify([...paths, destination])].join(' ')
}

function actionOf({ paths, destination, chown, chmod }: Case): CopyAction {
  return copy(paths, destination, {
    ...(chown === undefined ? {} : { owner: ownerOf(chown) }),
    ...(chmod === undefined ? {} : { chmod }),
  })
}

/** All cases in one build: a stage each, and a last one that holds every stage in a folder. */
function dockerfile(): string {
  const stages = CASES.map((each, index) => `FROM root AS case${index}\n${lineOf(each)}`)
  const last = CASES.map((_, index) => `COPY --from=case${index} / /${index}/`)
  return ['FROM scratch AS root\nADD root.tar /', ...stages, 'FROM scratch', ...last].join('\n')
}

async function buildWithBuildKit(directory: TemporaryDirectory): Promise<string> {
  const context = directory.file('context')
  const out = directory.file('buildkit')
  mkdirSync(out)
  await run('tar', ['-cf', `${context}/root.tar`, '-C', directory.file('root'), '.'])
  writeFileSync(directory.file('Dockerfile'), dockerfile())
  writeFileSync(directory.file('Dockerfile.dockerignore'), '')
  await using dockerd = await startDockerd()
  const tar = directory.file('buildkit.tar')
  await dockerd.build(['-f', directory.file('Dockerfile'), '-o', `type=tar,dest=${tar}`, context])
  await run('tar', ['-xpf', tar, '-C', out, '--numeric-owner'])
  return out
}

/** The root with the changes of one case on top, as tar and cp see it. */
async function buildHere(directory: TemporaryDirectory, each: Case): Promise<string> {
  using scratch = temporaryDirectory('here')
  const root = directoryTree(directory.file('root'), { owner: 'kept' })
  const context = directoryTree(directory.file('context'))
  const options = { root, sources: [context], temporary: scratch.path, mtimeMs: NOW }
  const out = directory.file('here')
  await run('rm', ['-rf', out])
  await run('cp', ['-a', directory.file('root'), out])
  using result = await runFileActions([actionOf(each)], options)
  writeLayer(result.changes, { tar: scratch.file('layer.tar') })
  await run('tar', ['-xpf', scratch.file('layer.tar'), '-C', out, '--numeric-owner'])
  root.close()
  context.close()
  return out
}

function withoutTop(tree: ReadonlyMap<string, TreeEntry>): ReadonlyMap<string, TreeEntry> {
  return new Map([...tree].filter(([path]) => path !== '/'))
}

describe('COPY as BuildKit does it', function () {
  this.timeout(240_000)
  let directory: TemporaryDirectory
  let expected: string

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    await ensurePackages()
    directory = temporaryDirectory('buildkit')
    makeFiles(directory.file('root'), ROOT)
    makeFiles(directory.file('context'), CONTEXT)
    expected = await buildWithBuildKit(directory)
  })

  after(() => directory?.[Symbol.dispose]())

  for (const [index, each] of CASES.entries()) {
    it(lineOf(each), async () => {
      const ours = withoutTop(await readTree(await buildHere(directory, each)))
      const theirs = withoutTop(await readTree(`${expected}/${index}`))
      assert.ok(theirs.size >= ROOT.length)
      assert.deepEqual(compareTrees(theirs, ours), [])
    })
  }
})
