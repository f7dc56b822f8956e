import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { BuildEvent, BuildOptions, Output } from '#builder'
import { compress } from '#builder/layer'
import { openStore } from '#cache'
import { type Descriptor, digestOf, hexOf, MEDIA_TYPES } from '#core'
import { parseManifest } from '../../support/manifest/index.ts'
import { until } from '../../support/peers/index.ts'
import { type Built, namesOf, Workplace } from './support/workplace.ts'

const PUSH: readonly Output[] = [{ type: 'registry' }]
const BUSYBOX = 'COPY --chmod=755 busybox /bin/busybox'

/** Ends when there is a file `go` in the cache mount. */
const WAITING = `RUN --mount=type=cache,target=/c ["/bin/busybox", "sh", "-c", "until [ -e /c/go ]; do /bin/busybox sleep 0.05; done"]`

/** The same, and then it fails. */
const FAILING = WAITING.replace('; done"', '; done; exit 3"')

/** A file that takes as much packed: what is small is not sent before. */
function incompressible(): Buffer {
  return randomBytes(6_000_000)
}

/** A build whose last step waits. */
interface Waiting {
  readonly events: readonly BuildEvent[]
  readonly built: Promise<Built>
  /** Lets the step end. */
  go(): Promise<void>
}

describe('layers that are packed while steps run', () => {
  let at: Workplace
  let stop: AbortController
  before(function () {
    // With one processor, there is none that the steps leave.
    if (process.geteuid?.() !== 0 || availableParallelism() < 2) this.skip()
  })
  beforeEach(async () => {
    stop = new AbortController()
    at = await Workplace.open()
    at.put({
      busybox: readFileSync('/bin/busybox'),
      large: Buffer.alloc(9_000_000, 'what is in a large file '),
      other: Buffer.alloc(9_000_000, 'what is in another one '),
    })
  })
  afterEach(async () => {
    stop.abort()
    await at?.[Symbol.asyncDispose]()
  })

  function start(
    dockerfile: readonly string[],
    options: Partial<BuildOptions> = {},
    last = WAITING,
  ): Waiting {
    const events: BuildEvent[] = []
    const built = at.build([...dockerfile, last], {
      tags: [at.at('app:1')],
      outputs: PUSH,
      onEvent: (event) => void events.push(event),
      signal: stop.signal,
      ...options,
    })
    built.catch(() => undefined)
    const go = async (): Promise<void> => {
      // The step may not have come as far as to its mount.
      await until(() => mounted().length > 0)
      for (const folder of mounted()) writeFileSync(join(folder, 'go'), '')
    }
    return { events, built, go }
  }

  /** Folders of cache mounts. */
  const mounted = (): readonly string[] =>
    readdirSync(join(at.path('store'), 'mounts'), { recursive: true, withFileTypes: true }).flatMap(
      ({ parentPath, name }) => (name === 'data' ? [join(parentPath, name)] : []),
    )

  const isRunning = ({ events }: Waiting): boolean =>
    namesOf(events, 'started').some((name) => name.includes('RUN'))

  const blobs = (): string => join(at.path('store'), 'blobs/sha256')

  /** Blobs of the store that are packed with gzip, by their names. */
  function packed(): readonly string[] {
    return readdirSync(blobs()).filter((name) => {
      const start = Buffer.alloc(2)
      const file = openSync(join(blobs(), name), 'r')
      readSync(file, start)
      closeSync(file)
      return start.equals(Buffer.from([0x1f, 0x8b]))
    })
  }

  function pushed(): readonly Descriptor[] {
    const manifest = at.registry.manifest('app', '1')
    assert.ok(manifest)
    return parseManifest(manifest.bytes, manifest.mediaType).layers
  }

  /** What an output would make of a layer itself. */
  async function packedByOutput(diffId: string): Promise<string> {
    const bytes = readFileSync(join(blobs(), diffId.replace('sha256:', '')))
    const tar = async function* () {
      yield bytes
    }
    return digestOf(await buffer(compress(tar(), 'gzip')))
  }

  it('are in the store before the last step ends, and are what is pushed', async () => {
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'])
    await until(() => isRunning(waiting) && packed().length > 0)
    assert.ok(!namesOf(waiting.events, 'done').some((name) => name.includes('RUN')))
    const [early = ''] = packed()
    await waiting.go()
    const { layers } = await waiting.built
    assert.equal(layers.length, 3)
    const sent = pushed()
    assert.equal(hexOf(sent[1]?.digest ?? digestOf(Buffer.of())), early)
    for (const [index, { digest, mediaType }] of sent.entries()) {
      assert.equal(mediaType, MEDIA_TYPES.ociLayerGzip)
      assert.equal(digest, await packedByOutput(layers[index]?.diffId ?? ''))
      assert.ok(at.registry.blob('app', digest))
    }
  })

  /** Lengths of the uploads that a blob of the registry can have come with. */
  const sent = (digest: string): readonly number[] =>
    at.registry.requests.flatMap(({ bodySize, method }) => {
      const isIts = method === 'PUT' || method === 'PATCH'
      return isIts && bodySize === at.registry.blob('app', digest)?.length ? [bodySize] : []
    })
  const isSent = (digest: string): boolean => at.registry.blob('app', digest) !== undefined

  it('are sent before the last step ends, once, and the tag comes last', async () => {
    at.put({ large: incompressible() })
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'])
    await until(() => isRunning(waiting) && packed().some((name) => isSent(`sha256:${name}`)))
    const [early = ''] = packed().map((name) => `sha256:${name}`)
    assert.ok(!namesOf(waiting.events, 'done').some((name) => name.includes('RUN')))
    assert.ok(!at.registry.log.some((line) => line.includes('manifests')))
    await until(() => namesOf(waiting.events, 'done').some((name) => name.startsWith('sending')))
    const before = at.registry.requests.length
    await waiting.go()
    await waiting.built
    assert.deepEqual(pushed()[1]?.digest, early)
    assert.equal(sent(early).length, 1)
    const asked = at.registry.requests.slice(before).filter(({ url }) => url.includes(early))
    assert.deepEqual(asked, [], 'the output knows that it is there')
  })

  it('that could not be sent early are sent by the output', async () => {
    at.registry.fail({
      ...{ method: 'PUT', path: /uploads/, times: 1 },
      action: { kind: 'reply', reply: { status: 403 } },
    })
    at.put({ large: incompressible() })
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'])
    await until(() => namesOf(waiting.events, 'done').some((name) => name.startsWith('sending')))
    assert.ok(!packed().some((name) => isSent(`sha256:${name}`)))
    await waiting.go()
    await waiting.built
    assert.equal(pushed().length, 3)
    assert.ok(pushed().every(({ digest }) => isSent(digest)))
    assert.deepEqual(namesOf(waiting.events, 'failed'), [])
  })

  it('that were sent have no tag when the build fails', async () => {
    at.put({ large: incompressible() })
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'], {}, FAILING)
    await until(() => isRunning(waiting) && packed().some((name) => isSent(`sha256:${name}`)))
    await waiting.go()
    await assert.rejects(waiting.built, { code: 'STEP_FAILED' })
    assert.ok(!at.registry.log.some((line) => line.includes('manifests')))
    assert.equal(at.registry.openUploads, 0)
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
  })

  it('are those of the image only, and once those of an earlier build', async () => {
    const stages = [
      ...['FROM scratch AS made', BUSYBOX, 'COPY other /'],
      ...['FROM scratch', BUSYBOX, 'COPY --from=made /other /made', 'COPY large /'],
    ]
    await at.build([...stages, 'LABEL a=b'], { tags: ['app'] })
    assert.deepEqual(packed(), [], 'the store has plain tars')
    const waiting = start(stages)
    await until(() => isRunning(waiting) && packed().length === 2)
    // The output keeps what it packs, too.
    const early = packed()
    await waiting.go()
    const { layers } = await waiting.built
    const made = await Promise.all(layers.slice(1, 3).map((one) => packedByOutput(one.diffId)))
    assert.deepEqual(early.toSorted(), made.map((one) => one.replace('sha256:', '')).toSorted())
  })

  it('are those of a base that was built here, too', async () => {
    const { layers } = await at.build(['FROM scratch', BUSYBOX, 'COPY large /'], { tags: ['base'] })
    const waiting = start(['FROM base'])
    await until(() => isRunning(waiting) && packed().length > 0)
    const early = packed()
    await waiting.go()
    await waiting.built
    assert.deepEqual(
      early.map((name) => `sha256:${name}`),
      [await packedByOutput(layers[1]?.diffId ?? '')],
    )
    assert.equal(pushed()[1]?.digest, `sha256:${early[0]}`)
  })

  it('are found by an archive, too', async () => {
    const dest = at.path('image')
    const output: Output = { type: 'oci', tar: false, dest, compression: 'gzip' }
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'], { outputs: [output] })
    await until(() => isRunning(waiting) && packed().length > 0)
    const [early = ''] = packed()
    await waiting.go()
    const { layers } = await waiting.built
    assert.ok(readdirSync(join(dest, 'blobs/sha256')).includes(early))
    assert.equal(`sha256:${early}`, await packedByOutput(layers[1]?.diffId ?? ''))
  })

  it('are none for outputs that take plain tars, or layers with other times', async () => {
    const cases: readonly Partial<BuildOptions>[] = [
      { outputs: [{ type: 'store' }] },
      { outputs: [{ type: 'local', dest: at.path('files') }] },
      { outputs: [{ type: 'registry', compression: 'uncompressed' }] },
      {
        outputs: [{ type: 'registry', rewriteTimestamp: true }],
        buildArgs: { SOURCE_DATE_EPOCH: '1000' },
      },
    ]
    for (const [index, options] of cases.entries()) {
      const text = ['FROM scratch', BUSYBOX, `COPY large /${index}`]
      const waiting = start([...text, 'RUN ["/bin/busybox", "sleep", "0.5"]'], options)
      await until(() => namesOf(waiting.events, 'done').some((name) => name.includes('sleep')))
      assert.deepEqual(packed(), [], `${index}`)
      await waiting.go()
      await waiting.built
      // What an output has packed is kept.
      assert.equal(packed().length, index < cases.length - 1 ? 0 : 3, `${index}`)
    }
  })

  it('are stopped by a failure of the build, and leave nothing', async () => {
    at.put({ large: Buffer.alloc(200_000_000, 'what is in a large file ') })
    const failing = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox sleep 0.3; exit 3"]'
    const text = ['FROM scratch', BUSYBOX, 'COPY large /', failing]
    await assert.rejects(at.build(text, { tags: [at.at('app:1')], outputs: PUSH }), {
      code: 'STEP_FAILED',
    })
    assert.deepEqual(packed(), [])
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
    assert.ok(!at.registry.log.some((line) => /PUT|PATCH/.test(line)))
  })

  it('are stopped by a signal, and leave nothing', async () => {
    at.put({ large: Buffer.alloc(200_000_000, 'what is in a large file ') })
    const waiting = start(['FROM scratch', BUSYBOX, 'COPY large /'])
    const isPacking = (): boolean =>
      readdirSync(join(at.path('store'), 'tmp'), { recursive: true, encoding: 'utf8' }).some(
        (name) => name.endsWith('/blob'),
      )
    await until(() => isRunning(waiting) && isPacking())
    stop.abort()
    await assert.rejects(waiting.built, { code: 'CANCELLED' })
    assert.deepEqual(packed(), [])
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
    assert.deepEqual(namesOf(waiting.events, 'failed'), [])
  })

  it('fail where an output would, once', async () => {
    const text = ['FROM scratch', BUSYBOX, 'COPY large /']
    const ran = 'RUN ["/bin/busybox", "true"]'
    const { layers } = await at.build([...text, ran], { tags: ['app'] })
    const tar = (layers[1]?.diffId ?? '').replace('sha256:', '')
    writeFileSync(join(blobs(), tar), 'other', { flag: 'r+' })
    const waiting = start(text)
    const isAside = (): boolean => readdirSync(join(at.path('store'), 'corrupt')).length > 0
    await until(() => isRunning(waiting) && isAside())
    await waiting.go()
    await assert.rejects(waiting.built, { code: 'DIGEST_MISMATCH' })
    assert.deepEqual(namesOf(waiting.events, 'failed'), [`pushing ${at.at('app')}`])
    assert.equal(at.registry.manifest('app', '1'), undefined)
    await using store = openStore(at.path('store'))
    assert.deepEqual(store.images.list().length, 1)
  })
})
