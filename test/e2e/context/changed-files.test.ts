import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import {
  createUser,
  flipBit,
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { installedFor } from '../support/installed.ts'
import { storeFaults } from '../support/store-check.ts'
import { mustBuild, type Start, stepsThat } from '../support/tsbuild.ts'

const FILES = 560
/** What is younger is not remembered, because it could change once more without a trace. */
const RACY_MILLISECONDS = 2100
/** Only what a step makes of the files is in the image. */
const NAMES_ALONE = [
  'COPY tree /tree',
  'RUN find /tree | sort > /names',
  'FROM scratch',
  'COPY --from=0 /names /',
]
/** The names of folders with a whole layer, and of those that have only what differs from another one. */
const WHOLE = /^[0-9a-f]{64}$/
const DIFFERENT = /^x[a-z0-9]{23}$/

describe('a copy of which little changed', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let trees = 0
  let nextTree: Promise<string>

  before(async () => {
    directory = temporaryDirectory('changed-files', 0o755)
    registry = await startBusyboxRegistry()
    nextTree = oldTree()
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await nextTree
    directory?.[Symbol.dispose]()
  })

  /** A context with many files in `tree`. */
  async function manyFiles(name: string, dockerfile: readonly string[]): Promise<string> {
    const context = writeContext(directory.file(name), {
      Dockerfile: `FROM ${registry.host}/busybox:latest AS files\n${dockerfile.join('\n')}\n`,
    })
    renameSync(await nextTree, join(context, 'tree'))
    nextTree = oldTree()
    return context
  }

  /** Files that are remembered. Those of the next test get old during this one. */
  async function oldTree(): Promise<string> {
    const tree = directory.file(`tree${trees++}`)
    for (let index = 0; index < FILES; index++) {
      const folder = join(tree, `d${index % 7}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `f${index}`), `${index}\n`.repeat(index % 30))
    }
    await setTimeout(RACY_MILLISECONDS)
    return tree
  }

  const start = (name: string) => ({ root: directory.file(`store-${name}`) })

  /** Builds, and gives what the image is. */
  async function build(context: string, store: string, ...args: string[]) {
    const file = directory.file('metadata.json')
    const all = ['--reproducible', '--metadata-file', file, '-t', 'many', ...args, context]
    const outcome = await mustBuild(all, start(store))
    const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return { digest: metadata['containerimage.digest'], outcome }
  }

  /** Builds, changes one file and removes another one, and builds again with `args`. */
  async function buildChanged(context: string, store: string, ...args: string[]): Promise<void> {
    await build(context, store)
    writeFileSync(join(context, 'tree/d1/f1'), 'changed')
    rmSync(join(context, 'tree/d2/f2'))
    await build(context, store, ...args)
  }

  /** The folders that have only what differs from another one, with the number of their files. */
  async function differences(store: string): Promise<readonly number[]> {
    const layers = join(start(store).root, 'layers')
    const folders = readdirSync(layers).filter((name) => DIFFERENT.test(name))
    const counts = folders.map(async (name) => {
      const { stdout } = await run('find', [join(layers, name), '!', '-type', 'd'])
      return stdout.split('\n').length - 1
    })
    return (await Promise.all(counts)).sort((a, b) => a - b)
  }

  /** The blobs that have a copy. */
  function tarsOfCopies(store: string): readonly string[] {
    const blobs = join(start(store).root, 'blobs/sha256')
    const paths = readdirSync(blobs).map((name) => join(blobs, name))
    return paths.filter((path) => readFileSync(path).includes('tree/d6/f13\0'))
  }

  const EDITS: Readonly<Record<string, (tree: string) => void>> = {
    'a changed file': (tree) => writeFileSync(join(tree, 'd1/f1'), 'changed'),
    'a new file': (tree) => writeFileSync(join(tree, 'd2/new'), 'new'),
    'a removed file': (tree) => rmSync(join(tree, 'd3/f3')),
    'another mode': (tree) => chmodSync(join(tree, 'd4/f4'), 0o755),
    'a renamed folder': (tree) => renameSync(join(tree, 'd5'), join(tree, 'renamed')),
    'a link for a file': (tree) => {
      rmSync(join(tree, 'd6/f6'))
      symlinkSync('f13', join(tree, 'd6/f6'))
    },
    'a file for a folder': (tree) => {
      rmSync(join(tree, 'd0'), { recursive: true })
      writeFileSync(join(tree, 'd0'), 'file')
    },
  }

  it('gives the image that a build from nothing gives, edit after edit', async () => {
    const context = await manyFiles('edits', [
      'COPY tree /tree',
      'RUN find /tree | sort > /names && find /tree -type f | sort | xargs md5sum > /sums',
    ])
    const tree = join(context, 'tree')
    await build(context, 'edits')
    for (const [name, edit] of Object.entries(EDITS)) {
      edit(tree)
      const { digest, outcome } = await build(context, 'edits')
      assert.equal(stepsThat('DONE', outcome).length, 2, name)
      assert.equal(digest, (await build(context, 'anew')).digest, name)
      rmSync(start('anew').root, { recursive: true })
    }
    // All but the last can be said, and each as what differs from the first.
    const counts = await differences('edits')
    assert.deepEqual(counts.slice(0, 4), [1, 2, 3, 4])
    assert.deepEqual(storeFaults(start('edits').root), [])
  })

  it('gives it where files come from a stage, whose unchanged files are not read again', async () => {
    const context = await manyFiles('staged', [
      'COPY tree /made/tree',
      'RUN find /made -type f | sort | xargs md5sum > /sums && mv /sums /made/sums',
      'FROM scratch',
      'COPY --from=files /made /made',
    ])
    await build(context, 'staged')
    for (const [name, edit] of Object.entries(EDITS).slice(1, 3)) {
      edit(join(context, 'tree'))
      const { digest } = await build(context, 'staged')
      assert.equal(digest, (await build(context, 'staged-anew')).digest, name)
      rmSync(start('staged-anew').root, { recursive: true })
    }
    assert.deepEqual(await differences('staged'), [1, 2])
    assert.deepEqual(storeFaults(start('staged').root), [])
    writeFileSync(join(context, 'tree/d1/f8'), 'changed')
    const trace = directory.file('opened')
    const prefix = ['strace', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=openat', '-o', trace]
    const words = ['--reproducible', '-t', 'many', context]
    await mustBuild(words, { ...start('staged'), prefix })
    // A builder opens files in their folders, a step by their paths.
    const opened = readFileSync(trace, 'latin1').match(/"\/proc\/self\/fd\/\d+\/f\d+"/g) ?? []
    assert.ok(opened.length > 0 && opened.length < FILES / 20, `${opened.length} files`)
  })

  it('takes the files of its own project, where several begin alike', async () => {
    const lines = ['COPY tree /tree', 'RUN ls /tree > /names']
    const [one, other] = [await manyFiles('one', lines), await manyFiles('other', lines)]
    for (const name of readdirSync(join(other, 'tree'))) {
      renameSync(join(other, 'tree', name), join(other, 'tree', `other-${name}`))
    }
    for (const context of [one, other]) await build(context, 'projects')
    writeFileSync(join(one, 'tree/d1/f1'), 'changed')
    await build(one, 'projects')
    writeFileSync(join(other, 'tree/other-d1/f1'), 'changed')
    await build(other, 'projects')
    assert.deepEqual(await differences('projects'), [1, 1])
  })

  it('gives it to an ordinary user, and with copies in the place of overlays', async function () {
    if (process.getuid?.() !== 0) this.skip()
    await using user = await createUser()
    await using installed = await installedFor(user)
    const context = await manyFiles('rights', [
      'COPY --chown=5:6 tree /tree',
      'RUN ls -ln /tree/d1 | head -n 4 > /names && md5sum /tree/d1/* > /sums',
    ])
    // Of another's files a user cannot tell whether somebody is writing to them.
    await run('chown', ['-R', user.name, context])
    await setTimeout(RACY_MILLISECONDS)
    const asUser = { prefix: user.prefix, installed, cwd: '/' }
    const ways: Readonly<Record<string, { args: readonly string[]; start: Partial<Start> }>> = {
      root: { args: [], start: {} },
      copies: { args: ['--snapshotter', 'copies'], start: {} },
      user: { args: [], start: asUser },
    }
    const place = temporaryDirectory('changed-rights', 0o777)
    using _ = place
    for (const text of ['first', 'second']) {
      writeFileSync(join(context, 'tree/d1/f1'), text)
      const digests = new Set<string>()
      for (const [name, { args, start }] of Object.entries(ways)) {
        const words = ['--reproducible', '-q', ...args, context]
        const outcome = await mustBuild(words, { root: place.file(name), ...start })
        digests.add(outcome.stdout)
      }
      assert.equal(digests.size, 1, `${text}: ${[...digests].join(' ')}`)
    }
    for (const name of Object.keys(ways)) {
      const { stdout } = await run('find', [
        place.file(name),
        '-path',
        '*/layers*/x*',
        '-name',
        'f1',
      ])
      assert.match(stdout, /\/tree\/d1\/f1\n$/, name)
    }
  })

  it('has what differs alone where no tar is wanted', async () => {
    const context = await manyFiles('stages', [
      'COPY tree /tree',
      'RUN find /tree -type f | sort | xargs md5sum > /sums',
      'FROM scratch',
      'COPY --from=0 /sums /',
    ])
    await build(context, 'stages')
    for (const text of ['one', 'another']) {
      writeFileSync(join(context, 'tree/d1/f1'), text)
      rmSync(join(context, `tree/d2/f${text === 'one' ? 2 : 9}`))
      const { digest } = await build(context, 'stages')
      assert.equal(digest, (await build(context, `stages-${text}`)).digest)
    }
    assert.deepEqual(await differences('stages'), [2, 3])
    assert.deepEqual(tarsOfCopies('stages'), [], 'a tar of the copy was made')
  })

  it('leaves the machine as the files that were copied', async () => {
    const context = await manyFiles('output', ['COPY tree /tree', 'RUN echo done > /done'])
    await buildChanged(context, 'output')
    const out = directory.file('out')
    await mustBuild(['--reproducible', '-o', out, context], start('output'))
    await run('diff', ['-r', join(context, 'tree'), join(out, 'tree')])
  })

  const LOSSES: Readonly<Record<string, RegExp>> = {
    'its own folder': DIFFERENT,
    'the folder that it lies on': WHOLE,
  }

  for (const [lost, names] of Object.entries(LOSSES)) {
    it(`is made of its tar, for good, without ${lost}`, async () => {
      const store = `gone-${lost.length}`
      const context = await manyFiles(store, ['COPY tree /tree', 'RUN find /tree | sort > /names'])
      await buildChanged(context, store)
      const layers = join(start(store).root, 'layers')
      for (const name of readdirSync(layers).filter((one) => names.test(one))) {
        if (existsSync(join(layers, name, 'tree'))) rmSync(join(layers, name), { recursive: true })
      }
      for (const file of ['once', 'again']) {
        appendFileSync(join(context, 'Dockerfile'), `RUN find /tree | sort > /${file}\n`)
        const { digest, outcome } = await build(context, store)
        assert.equal(stepsThat('DONE', outcome).length, 1, outcome.stderr)
        assert.equal(digest, (await build(context, `${store}-${file}`)).digest, file)
      }
    })
  }

  it('has its folders for later steps when its tar is made later', async () => {
    const context = await manyFiles('later', NAMES_ALONE)
    await buildChanged(context, 'later')
    const folders = () => readdirSync(join(start('later').root, 'layers'))
    const before = folders()
    const { digest } = await build(context, 'later', '--target', 'files')
    assert.equal(digest, (await build(context, 'later-anew', '--target', 'files')).digest)
    assert.deepEqual(folders(), before)
    assert.deepEqual(await differences('later'), [2])
  })

  const UNSOUND: Readonly<Record<string, (store: string, id: string) => void>> = {
    damaged: (store, id) => flipBit(join(store, 'layers', id, 'tree/d1/f1'), 0),
    unproven: (store) => {
      using database = new DatabaseSync(join(store, 'tsbuild.db'))
      database.exec('DELETE FROM seals')
    },
  }

  for (const [state, spoil] of Object.entries(UNSOUND)) {
    it(`leaves the machine as its tar says when its folder is ${state}`, async () => {
      const context = await manyFiles(state, ['COPY tree /tree', 'RUN echo done > /done'])
      await buildChanged(context, state)
      const { root } = start(state)
      const [id = ''] = readdirSync(join(root, 'layers')).filter((one) => DIFFERENT.test(one))
      spoil(root, id)
      for (const out of [1, 2].map((count) => directory.file(`${state}-${count}`))) {
        await mustBuild(['--reproducible', '-o', out, context], start(state))
        await run('diff', ['-r', join(context, 'tree'), join(out, 'tree')])
      }
    })
  }

  it('is in a cache elsewhere, whatever is in the image', async () => {
    const context = await manyFiles('shared', NAMES_ALONE)
    const cache = directory.file('cache')
    await buildChanged(context, 'shared', '--cache-to', `type=local,dest=${cache},mode=max`)
    assert.deepEqual(await differences('shared'), [2])
    const from = ['--cache-from', `type=local,src=${cache}`]
    const { outcome } = await build(context, 'importer', '--target', 'files', ...from)
    assert.equal(stepsThat('CACHED', outcome).length, 2, outcome.stderr)
  })

  it('is read from its files when nothing is to be looked up', async () => {
    const context = await manyFiles('fresh', ['COPY tree /tree', 'RUN md5sum /tree/d5/* > /sums'])
    await build(context, 'fresh')
    const layers = join(start('fresh').root, 'layers')
    const [name = ''] = readdirSync(layers).filter((one) => WHOLE.test(one))
    flipBit(join(layers, name, 'tree/d5/f12'), 0)
    writeFileSync(join(context, 'tree/d1/f1'), 'changed')
    const { digest } = await build(context, 'fresh', '--no-cache')
    assert.equal(digest, (await build(context, 'fresh-anew')).digest)
    assert.deepEqual(await differences('fresh'), [])
  })

  it('is not noted of a context of which nothing is remembered', async () => {
    const context = await manyFiles('piped', ['COPY tree /tree'])
    const prefix = ['sh', '-c', 'tar -C "$0" -c . | "$@"', context]
    await mustBuild(['--reproducible', '-'], { ...start('piped'), prefix })
    await build(context, 'piped-folder')
    const isNoted = (store: string) => existsSync(join(start(store).root, 'contents'))
    assert.deepEqual(['piped', 'piped-folder'].map(isNoted), [false, true])
  })

  it('is read from its files when the earlier tar is damaged, which is said once', async () => {
    const context = await manyFiles('torn', ['COPY tree /tree'])
    const first = await build(context, 'torn')
    const [tar = ''] = tarsOfCopies('torn')
    flipBit(tar, 200_000)
    writeFileSync(join(context, 'tree/d1/f1'), 'changed')
    const { digest, outcome } = await build(context, 'torn')
    assert.equal(digest, (await build(context, 'torn-anew')).digest)
    assert.notEqual(digest, first.digest)
    assert.equal(outcome.stderr.match(/is not what was written/g)?.length, 1, outcome.stderr)
    assert.equal(readdirSync(join(start('torn').root, 'corrupt')).length, 1)
  })

  it('is read from its files when what is noted of the earlier tar is damaged', async () => {
    const context = await manyFiles('notes', ['COPY tree /tree'])
    await build(context, 'notes')
    const notes = join(start('notes').root, 'contents')
    for (const name of readdirSync(notes)) flipBit(join(notes, name), 1000)
    writeFileSync(join(context, 'tree/d1/f1'), 'changed')
    const { digest } = await build(context, 'notes')
    assert.equal(digest, (await build(context, 'notes-anew')).digest)
  })
})
