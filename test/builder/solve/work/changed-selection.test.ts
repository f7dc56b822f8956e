import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { finished } from '#builder/files'
import { assembleTar } from '#builder/layer'
import { setXattr } from '#builder/linux'
import { copiedStateFile } from '#cache'
import { asDiffId, type DiffId, digestOf } from '#core'
import {
  type ChangedSelection,
  changedSelection,
} from '../../../../builder/solve/work/selection/changed-selection.ts'
import { completeCopiedState } from '../../../../builder/solve/work/selection/copied-state.ts'
import { selectionState } from '../../../../builder/solve/work/selection/selection-state.ts'
import type { NotedState } from '../../../../builder/solve/work/selection/state-notes.ts'
import { type FilesTask, openTrees } from '../../../../builder/solve/work/selection/trees.ts'
import { checksum } from '../../../../builder/solve/work/tasks/checksum.ts'
import { copyFiles } from '../../../../builder/solve/work/tasks/copy-files.ts'
import { recopyFiles } from '../../../../builder/solve/work/tasks/recopy-files.ts'
import {
  flipBit,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'

const RUNS = Number(process.env.CHANGED_SELECTION_RUNS ?? 4)
const EDITS = 5
/** What is noted of a tar is kept from so many files on. */
const FOLDERS = 25
const FILES = 22
const RACY_MILLISECONDS = 2100

type Random = (limit: number) => number

/** What people do to their files, and what they seldom do. */
const KINDS: readonly ((tree: string, folder: string, random: Random) => unknown)[] = [
  (_, folder, random) => write(anyFile(folder, random), `changed ${random(1000)}`),
  (_, folder, random) => write(`${folder}/new${random(9)}`, 'new'),
  (_, folder, random) => write(`${folder}/deep${random(3)}/er/file`, 'deep'),
  (_, folder, random) => rmSync(anyFile(folder, random), { recursive: true, force: true }),
  (_, folder, random) => chmodSync(anyFile(folder, random), 0o700 + random(8)),
  (_, folder, random) => utimesSync(anyFile(folder, random), 1e9 + random(9), 1e9 + random(9)),
  (_, folder) => chmodSync(folder, 0o711),
  (_, folder) => rmSync(folder, { recursive: true, force: true }),
  (tree, folder, random) => renameSync(folder, `${tree}/z${random(1e9)}`),
  (_, folder, random) => renameSync(anyFile(folder, random), `${folder}/moved${random(1e9)}`),
  (_, folder, random) => replace(anyFile(folder, random), (path) => symlinkSync('f1', path)),
  (_, folder, random) => replace(anyFile(folder, random), (path) => write(`${path}/inside`, 'x')),
  // In the place of folders of the layers below no file may be copied.
  (_, folder) => isBelow(folder) || replace(folder, (path) => writeFileSync(path, 'no folder')),
  (_, folder, random) => linkSync(anyFile(folder, random), `${folder}/link${random(1e9)}`),
]

/** Whether `layerWith` may have it. */
function isBelow(folder: string): boolean {
  return /\/d[12]$/.test(folder)
}

function anyFile(folder: string, random: Random): string {
  const names = readdirSync(folder).filter((name) => lstatSync(`${folder}/${name}`).isFile())
  return `${folder}/${names[random(names.length)] ?? 'f0'}`
}

function write(path: string, text: string): void {
  mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true })
  rmSync(path, { recursive: true, force: true })
  writeFileSync(path, text)
}

function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true })
  make(path)
}

function edit(tree: string, random: Random): void {
  const folders = readdirSync(tree).filter((name) => statSync(`${tree}/${name}`).isDirectory())
  const kind = KINDS[random(KINDS.length)]
  try {
    kind?.(tree, `${tree}/${folders[random(folders.length)]}`, random)
  } catch (cause) {
    // A folder without files.
    if (!(cause instanceof Error) || !/ENOENT/.test(cause.message)) throw cause
  }
}

describe('a selection of which a copy was made', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  before(async () => {
    directory = temporaryDirectory('changed-selection')
    for (let run = 0; run < RUNS + 5; run++) makeTree(directory.file(`${run}/tree`))
    await setTimeout(RACY_MILLISECONDS)
  })
  after(() => directory[Symbol.dispose]())

  function makeTree(tree: string): void {
    for (let folder = 0; folder < FOLDERS; folder++) {
      mkdirSync(`${tree}/d${folder}/sub`, { recursive: true })
      for (let file = 0; file < FILES; file++) {
        const place = file % 4 === 0 ? 'sub/' : ''
        writeFileSync(`${tree}/d${folder}/${place}f${file}`, `${file}\n`.repeat(file))
      }
    }
  }

  /** A layer that has a part of a tree. */
  function layerWith(run: number): string {
    const layer = directory.file(`layer${run}`)
    for (const folder of ['d1', 'd2/sub']) {
      const options = { recursive: true, preserveTimestamps: true }
      cpSync(directory.file(`${run}/tree/${folder}`), `${layer}/made/tree/${folder}`, options)
    }
    return layer
  }

  function taskOf(run: number, store: string, lowers: readonly string[] = []): FilesTask {
    const copy = { kind: 'copy', source: 0, paths: ['tree'], destination: '/made/tree' } as const
    const rest = { exclude: [], parents: false, unpack: 'never', wildcards: true } as const
    mkdirSync(directory.file(`${store}/digests`), { recursive: true })
    mkdirSync(directory.file(`${store}/contents`), { recursive: true })
    return {
      actions: [{ ...copy, ...rest }],
      root: { kind: 'layers', lowers },
      sources: [{ kind: 'context', directory: directory.file(`${run}`), ignore: '' }],
      store: directory.file(store),
    }
  }

  function changed(task: FilesTask): ChangedSelection | undefined {
    using trees = openTrees(task)
    const found = finished(selectionState(task))
    return found && changedSelection(task, found, trees)
  }

  /** A copy, and what is needed to make the next one of it. */
  interface Copied {
    readonly tar: string
    readonly contents: string
    readonly diffId: DiffId
  }

  function stateFile({ store }: FilesTask): string {
    const [file = 'none'] = readdirSync(`${store}/contents`)
    return `${store}/contents/${file}`
  }

  let copies = 0

  function placesOf(task: FilesTask, maxMtime: number | undefined) {
    const place = `${task.store}/copy${copies++}`
    mkdirSync(place)
    const at = (name: string): string => `${place}/${name}`
    const common = { ...task, temporary: at('archives'), mtimeMs: 1e12, maxMtime }
    return { common, tar: at('tar'), contents: at('contents'), state: at('state'), at }
  }

  function keep(
    { tar, contents, state: file }: { tar: string; contents: string; state: string },
    { store }: FilesTask,
    { state, base }: { readonly state?: NotedState | undefined; readonly base?: DiffId },
  ): Copied {
    const diffId = asDiffId(digestOf(readFileSync(tar)))
    if (state !== undefined) {
      assert.ok(completeCopiedState(file, state.digest, base ?? diffId))
      renameSync(file, copiedStateFile(store, state.selection))
    }
    return { tar, contents, diffId }
  }

  async function copy(task: FilesTask, maxMtime?: number): Promise<Copied> {
    const { common, at: _, ...files } = placesOf(task, maxMtime)
    const none = { reader: undefined, directory: undefined }
    const { state } = await copyFiles({ ...common, ...none, ...files })
    return keep(files, task, { state })
  }

  /** `undefined` where nothing is taken over. @param stateOf of which layer the state is that is noted */
  async function recopy(
    task: FilesTask,
    base: Copied,
    { limit, stateOf = 'made' }: { limit?: number | undefined; stateOf?: 'made' | 'earlier' } = {},
  ): Promise<Copied | undefined> {
    const { common, at, ...files } = placesOf(task, limit)
    const { tar, contents, state } = files
    const pieces = at('pieces')
    const earlier = { previous: base.contents, base: base.diffId, stateOf }
    const copied = await recopyFiles({ ...common, ...earlier, state, sinks: { pieces, contents } })
    if (copied?.recipe === undefined) return undefined
    const previous = { contents: base.contents, tar: base.tar }
    const { recipe } = copied
    assembleTar({ recipe, previous, pieces, tar, contents, reader: undefined })
    const of = stateOf === 'earlier' ? { base: base.diffId } : {}
    return keep(files, task, { state: copied.state, ...of })
  }

  it('is known, and copied again, as if all of it was looked at', async () => {
    let [again, seen] = [0, 0]
    for (let run = 0; run < RUNS; run++) {
      const seeded = seededRandom(run)
      const random: Random = (limit) => Math.floor(seeded() * limit)
      // What the layers below have already is not in the copy.
      const lowers = run % 2 === 0 ? [] : [layerWith(run)]
      const task = taskOf(run, `store${run}`, lowers)
      // With a folder, differences count from the same layer.
      const stateOf = run % 4 < 2 ? 'made' : 'earlier'
      let base = await copy(task)
      for (let step = 0; step < EDITS; step++) {
        for (let edits = 1 + random(3); edits > 0; edits--) {
          edit(directory.file(`${run}/tree`), random)
        }
        const where = `run ${run}, step ${step}`
        const fresh = taskOf(run, `fresh${run}-${step}`, lowers)
        const limit = step === 2 ? 1e12 : undefined
        const known = changed(task)?.content
        if (known !== undefined) assert.equal(known, checksum(fresh), where)
        if (known !== undefined) seen++
        const made = await recopy(task, base, { limit, stateOf })
        if (made !== undefined) again++
        const result = made ?? (await copy(task, limit))
        assert.equal(result.diffId, (await copy(fresh, limit)).diffId, where)
        if (made === undefined || stateOf === 'made') base = result
        // What is noted next is noted while all is looked at.
        if (step === 0 && stateOf === 'earlier') rmSync(stateFile(task))
      }
    }
    assert.ok(again > (RUNS * EDITS) / 2, `${again} copies of ${RUNS * EDITS} were made again`)
    assert.ok(seen > (RUNS * EDITS) / 2, `of ${seen} it was known what had changed`)
  })

  it('is looked at whole where what was noted is damaged or unfinished', async () => {
    const task = taskOf(RUNS, 'damaged')
    await copy(task)
    const known = changed(task)
    const path = stateFile(task)
    const content = readFileSync(path)
    for (const at of [0, content.length >> 1, content.length - 100, content.length - 1]) {
      flipBit(path, at)
      const found = changed(task)
      // The last digits say of which layer it is; another one is not found.
      assert.ok(found === undefined || found.base !== known?.base, `bit in byte ${at}`)
      writeFileSync(path, content)
    }
    writeFileSync(path, content.subarray(0, -1))
    assert.equal(changed(task), undefined)
    rmSync(path)
    assert.equal(changed(task), undefined)
  })

  it('is looked at whole where as much was changed', async () => {
    const task = taskOf(RUNS + 1, 'much')
    await copy(task)
    writeFileSync(directory.file(`${RUNS + 1}/tree/d1/f1`), 'changed')
    assert.ok(changed(task) !== undefined)
    for (let folder = 0; folder < FOLDERS; folder++) {
      const place = directory.file(`${RUNS + 1}/tree/d${folder}`)
      for (const name of readdirSync(place)) utimesSync(`${place}/${name}`, 1e9, 1e9)
      for (const name of readdirSync(`${place}/sub`)) utimesSync(`${place}/sub/${name}`, 1e9, 1e9)
    }
    assert.equal(changed(task), undefined)
  })

  it('is looked at whole where a layer below has what a file was changed to', async () => {
    const run = RUNS + 3
    const lowers = [layerWith(run)]
    const path = directory.file(`${run}/tree/d1/f1`)
    writeFileSync(path, 'other')
    const task = taskOf(run, 'below', lowers)
    const base = await copy(task)
    cpSync(`${lowers[0]}/made/tree/d1/f1`, path, { preserveTimestamps: true })
    assert.ok(changed(task)?.changes.changed.has('tree/d1/f1' as never))
    const again = (await recopy(task, base)) ?? (await copy(task))
    assert.equal(again.diffId, (await copy(taskOf(run, 'below-fresh', lowers))).diffId)
  })

  it('is not noted with attributes that may change without a trace', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const run = RUNS + 4
    const task = taskOf(run, 'attributes')
    const base = await copy(task)
    const noted = readFileSync(stateFile(task))
    const path = directory.file(`${run}/tree/d1/f1`)
    chmodSync(path, 0o755)
    const again = await recopy(task, base)
    assert.ok(again)
    // A program without any is noted, one with a capability is not.
    const plain = readFileSync(stateFile(task))
    assert.notDeepEqual(plain, noted)
    const value = Buffer.from('0000000200040000000000000000000000000000', 'hex')
    setXattr(path, 'security.capability', value)
    assert.equal(changed(task)?.base, again.diffId)
    assert.ok(await recopy(task, again))
    assert.deepEqual(readFileSync(stateFile(task)), plain)
  })

  it('counts what was new when it was copied as changed', async () => {
    const run = RUNS + 2
    const task = taskOf(run, 'new')
    writeFileSync(directory.file(`${run}/tree/d1/f1`), 'new')
    const base = await copy(task)
    assert.ok(existsSync(base.contents))
    assert.ok(changed(task)?.changes.changed.has('tree/d1/f1' as never))
  })
})
