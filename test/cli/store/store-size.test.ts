import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheKeyOf, openStore, type StoreItem } from '#cache'
import { runProgram } from '../../../cli/main.ts'
import { groupsByImage, groupsByStep, groupTable } from '../../../cli/store/usage-groups.ts'
import { FakeKeyboard, fakeShell } from '../support/fake-shell.ts'

/** Bytes of a small file. */
const FILE = 4096

describe('the commands on the size of the store', () => {
  let root = ''
  /** Bytes of a step: a folder with a file. Some file systems count nothing for a small folder. */
  let size = 0
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
    size = FILE + lstatSync(root).blocks * 512
  })
  afterEach(() => rmSync(root, { recursive: true }))

  async function putStep(description: string): Promise<void> {
    await using store = openStore(root)
    const made = join(store.temporary().path, 'made')
    mkdirSync(made)
    writeFileSync(join(made, 'file'), description)
    const { id } = await store.layers.commitDirectory(made)
    const key = cacheKeyOf({ description })
    const milliseconds = 2500
    store.records.put({ key, family: key, preimage: {}, layer: id, description, milliseconds })
  }

  const shown = (bytes: number): string => `${(bytes / 1000).toFixed(2)}kB`

  async function run(...argv: readonly string[]) {
    const shell = fakeShell({ env: { TSBUILD_ROOT: root } })
    const code = await runProgram(argv, shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  it('list what there is, as docker and buildx do', async () => {
    await putStep('RUN make')
    const { code, out } = await run('du', '--filter', 'type=regular')
    assert.equal(code, 0)
    assert.match(
      out.replaceAll(shown(size), 'BYTES'),
      /^ID +RECLAIMABLE +SIZE +LAST ACCESSED +DESCRIPTION\n\w{12} +true +BYTES +\S.* RUN make\nShared: +0B\nPrivate: +BYTES\nReclaimable: +BYTES\nTotal: +BYTES\n$/,
    )
    const { out: blocks } = await run('du', '--verbose', '--filter', 'description=RUN make')
    assert.match(
      blocks.replace(shown(size), 'BYTES'),
      /^ID: {13}\w{20}\nCreated at: {5}\d{4}-.*Z\nMutable: +false\nReclaimable: +true\nShared: +false\nSize: +BYTES\nDescription: +RUN make\nCost: +2\.5s\nLast used: +\S.*\nType: +regular\n\n/,
    )
    const { items, total } = JSON.parse((await run('du', '--format=json')).out)
    const [step] = items.filter(({ type }: StoreItem) => type === 'regular')
    assert.equal(step.seconds, 2.5)
    assert.equal(step.keptBy, null)
    assert.deepEqual(step.images, [])
    assert.ok(total > step.size)
    const { steps } = JSON.parse((await run('du', '--by', 'step', '--format=json')).out)
    const names = steps.map(({ name }: { readonly name: string }) => name)
    assert.deepEqual(names.toSorted(), ['RUN make', 'database and names', 'what is being written'])
  })

  it('remove what is asked for, and say what', async () => {
    await putStep('RUN make')
    await putStep('RUN test')
    const { out } = await run('prune', '-f', '--filter', 'description~=make', '--format', 'json')
    const { removed, total } = JSON.parse(out)
    assert.deepEqual(
      removed.map(({ description }: StoreItem) => description),
      ['RUN make'],
    )
    assert.equal(total, size)
    const { out: rest } = await run('prune', '--force')
    assert.ok(rest.endsWith(` RUN test\nTotal: ${shown(size)}\n`), rest)
    assert.equal(
      (await run('prune', '--force')).out,
      'ID   RECLAIMABLE   SIZE   LAST ACCESSED   DESCRIPTION\nTotal: 0B\n',
    )
  })

  for (const [answer, removed] of [
    ['y\n', true],
    ['Yes\n', true],
    ['n\n', false],
    ['\n', false],
  ] as const) {
    it(`ask before they remove: ${JSON.stringify(answer)}`, async () => {
      await putStep('RUN make')
      const keyboard = new FakeKeyboard()
      const shell = { ...fakeShell({ env: { TSBUILD_ROOT: root } }), stdin: keyboard }
      const code = runProgram(['prune'], shell)
      keyboard.write(answer)
      assert.equal(await code, removed ? 0 : 1)
      assert.match(shell.err(), /^This will remove results of steps, .* Are you sure\? \[y\/N\] /)
      const left = JSON.parse((await run('du', '--format=json', '--filter=type=regular')).out)
      assert.equal(left.items.length, removed ? 0 : 1)
    })
  }

  for (const [argv, message, hint] of [
    [['prune'], /cannot ask .* is not a terminal \(USAGE\)/, /add --force/],
    [['prune', '-f', '--filter', 'unti=1h'], /invalid filter "unti=1h"/, /did you mean until\?/],
    [['prune', '-f', '--max-used-space', 'all'], /invalid --max-used-space "all"/, /=20GB/],
    [['prune', '-f', '--keep-storage=x'], /invalid --keep-storage "x"/, /--keep-storage=20GB/],
    [['prune', '-f', 'app'], /unexpected argument "app"/, /usage: tsbuild prune/],
    [['prune', '-f', '--format', 'yaml'], /unknown format "yaml"/, /table, json/],
    [['du', '--by', 'size'], /cannot add up by "size"/, /item, step, image/],
    [['du', '--format', '{{.ID}}'], /unknown format/, /table, json/],
    [['du', '--filter', 'type=layer'], /invalid filter "type=layer"/, /choose one of regular, /],
  ] as const) {
    it(`refuse what they cannot do: ${argv.join(' ')}`, async () => {
      await putStep('RUN make')
      const { code, out, err } = await run(...argv)
      assert.deepEqual({ code, out }, { code: 1, out: '' })
      assert.match(err, message)
      assert.match(err, hint)
      const left = JSON.parse((await run('du', '--format=json', '--filter=type=regular')).out)
      assert.equal(left.items.length, 1)
    })
  }

  it('add up by step and by image, the largest first', () => {
    const item = (description: string, bytes: number, images: readonly string[]): StoreItem => ({
      ...{ id: description, type: 'regular', description, label: '', bytes, createdAt: 0 },
      ...{ lastUsedAt: bytes, seconds: undefined, isMutable: false, isInUse: false },
      ...{ isFixed: false, images, children: [], parents: [] },
      contents: { paths: [], common: new Map(), layer: undefined, lock: undefined },
    })
    const items = [item('RUN a', 10, ['x', 'y']), item('RUN b', 4, []), item('RUN a', 3, ['x'])]
    assert.deepEqual(groupsByStep(items), [
      { name: 'RUN a', items: 2, size: 13, lastUsedAt: 10 },
      { name: 'RUN b', items: 1, size: 4, lastUsedAt: 4 },
    ])
    assert.deepEqual(groupsByImage(items), [
      { name: 'x', items: 2, size: 8, lastUsedAt: 10 },
      { name: 'y', items: 1, size: 5, lastUsedAt: 10 },
      { name: '(no image)', items: 1, size: 4, lastUsedAt: 4 },
    ])
    assert.equal(
      groupTable('STEP', groupsByStep(items), 3610),
      'SIZE   ITEMS   LAST ACCESSED   STEP\n13B    2       3 seconds ago   RUN a\n4B     1       3 seconds ago   RUN b\n',
    )
  })
})
