import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { pushFromStore } from '#builder'
import { hexOf, parseDigest } from '#core'
import { putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

/** Bytes of a file that is a hole but for its last ones: more than is taken for a bomb at once. */
const HOLE = 100 << 20
/** Of all that a store may take with such files in several forms. */
const FEW = 30 << 20

describe('steps that touch files with holes', function () {
  this.timeout(120_000)
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const log = (path: string): string =>
    `dd if=/bin/busybox of=${path} bs=1 count=292 seek=${HOLE} 2>/dev/null`

  /** What all files of a folder take on the disk. */
  function usage(folder: string): number {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => lstatSync(join(folder, name)).blocks * 512)
      .reduce((sum, bytes) => sum + bytes, 0)
  }

  function blobOf(root: string, diffId: string): string {
    return join(root, 'blobs/sha256', hexOf(parseDigest(diffId)))
  }

  it('leave holes in folders and tars, which hold what is said', async () => {
    const root = at.path('store')
    const { layers } = await at.build([
      ...SHELL_BASE,
      'FROM base',
      `RUN ${log('/log')}`,
      'RUN chown 1:1 /log',
    ])
    assert.ok(usage(root) < FEW, `${usage(root)} bytes`)
    for (const { diffId, size = 0 } of layers.slice(-2)) {
      const bytes = readFileSync(blobOf(root, diffId))
      assert.equal(bytes.length, size)
      assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, diffId)
    }
    assert.ok((layers.at(-1)?.size ?? 0) > HOLE)
  })

  it('may be copied from the context and from stages', async () => {
    const sparse = join(at.path('context'), 'sparse')
    const file = openSync(sparse, 'w')
    writeSync(file, 'begin')
    writeSync(file, 'middle', HOLE / 2)
    ftruncateSync(file, HOLE)
    closeSync(file)
    const dest = at.path('out')
    await at.build(
      [
        ...SHELL_BASE,
        'COPY sparse /sparse',
        `RUN ${log('/log')}`,
        'FROM base',
        'COPY --from=base /sparse /log /d/',
        'RUN cat /d/sparse | md5sum > /sums; cat /d/log | md5sum >> /sums',
      ],
      { outputs: [{ type: 'store' }, { type: 'local', dest }] },
    )
    assert.ok(usage(at.path('store')) < FEW, `${usage(at.path('store'))} bytes`)
    assert.ok(usage(dest) < FEW, `${usage(dest)} bytes`)
    const sums = readFileSync(join(dest, 'sums'), 'utf8').split(/ +-\n/)
    const sumOf = (path: string) => createHash('md5').update(readFileSync(path)).digest('hex')
    assert.deepEqual(sums.slice(0, 2), [sumOf(sparse), sumOf(join(dest, 'd/log'))])
    assert.equal(sumOf(join(dest, 'd/sparse')), sums[0])
  })

  for (const compression of ['gzip', 'zstd'] as const) {
    it(`are pushed with ${compression}, and become holes again elsewhere`, async () => {
      const lines = [...SHELL_BASE, 'FROM base', `RUN ${log('/log')}`]
      const tags = [at.at('app')]
      const { layers } = await at.build(lines, {
        tags,
        outputs: [{ type: 'store' }, { type: 'registry', compression }],
      })
      const root = at.path('other')
      const from = [
        ...[`FROM ${at.at('app')}`, 'SHELL ["/bin/busybox", "sh", "-c"]'],
        'RUN cat /log | wc -c > /size',
      ]
      const dest = at.path('out')
      const again = await at.build(from, { root, outputs: [{ type: 'local', dest }] })
      assert.equal(again.steps.total, 1)
      assert.equal(readFileSync(join(dest, 'size'), 'utf8'), `${HOLE + 292}\n`)
      assert.ok(usage(root) < FEW, `${usage(root)} bytes`)
      const stored = await at.build([`FROM ${at.at('app')}`], { root, tags })
      assert.deepEqual(
        stored.layers.map(({ diffId }) => diffId),
        layers.map(({ diffId }) => diffId),
      )
      await pushFromStore({ name: at.at('app'), root })
    })
  }
})
