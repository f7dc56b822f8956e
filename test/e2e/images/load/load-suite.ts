import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type RecordingProxy, startRecordingProxy } from '../../../support/engines/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { writeContext } from '../../support/context.ts'
import { mustBuild } from '../../support/tsbuild.ts'

/** An engine that images are loaded into. */
export interface LoadedEngine extends AsyncDisposable {
  readonly socket: string
  /** Whether all files of an image are there. Throws for a name that it does not have. */
  isWhole(name: string): Promise<boolean>
  /** Loses what it has of a layer, in the way in which its store can. @param diffId with `sha256:` */
  lose(diffId: string): Promise<void>
}

/** Bytes of the layer that does not change: more than everything else together. */
const LARGE = 300_000

/** What loading into a docker daemon has to do, whatever its store is. */
export function loadSuite(name: string, start: (folder: string) => Promise<LoadedEngine>): void {
  describe(`--load into ${name}`, () => {
    let directory: TemporaryDirectory
    let engine: LoadedEngine
    let proxy: RecordingProxy
    before(async () => {
      directory = temporaryDirectory('load')
      engine = await start(directory.path)
      proxy = await startRecordingProxy(engine.socket, directory.file('proxy'))
      writeContext(directory.file('context'), {
        Dockerfile: 'FROM scratch\nCOPY large /large\nCOPY small /small\nCMD ["/small"]\n',
        large: randomBytes(LARGE),
        small: 'one\n',
      })
    })
    after(async () => {
      await proxy?.[Symbol.asyncDispose]()
      await engine?.[Symbol.asyncDispose]()
      directory?.[Symbol.dispose]()
    })

    async function load(...flags: readonly string[]): Promise<number> {
      proxy.taken()
      await mustBuild(['-q', '--load', ...flags, directory.file('context')], {
        root: directory.file('store'),
        env: { DOCKER_HOST: `unix://${proxy.socket}` },
      })
      return proxy.taken().reduce((sum, { bytes }) => sum + bytes, 0)
    }

    /** What was loaded last is not in the store under a name. */
    async function layers(image: string): Promise<readonly string[]> {
      const root = directory.file('store')
      await mustBuild(['-q', '-t', image, directory.file('context')], { root })
      const words = ['inspect', '-f', '{{json .RootFS.Layers}}', image]
      const { stdout } = await mustBuild(words, { root })
      return JSON.parse(stdout) as readonly string[]
    }

    it('gives it an image under all of its names', async () => {
      const sent = await load('-t', 'app:1', '-t', 'app:also')
      assert.equal(sent > LARGE, true)
      assert.equal(await engine.isWhole('app:1'), true)
      assert.equal(await engine.isWhole('app:also'), true)
    })

    it('sends nothing of an image that it has', async () => {
      assert.equal(await load('-t', 'app:1'), 0)
    })

    it('sends nothing but a name where only that is new', async () => {
      assert.equal(await load('-t', 'app:2'), 0)
      assert.equal(await engine.isWhole('app:2'), true)
    })

    it('sends only layers that it lacks', async () => {
      writeFileSync(directory.file('context/small'), 'two\n')
      const sent = await load('-t', 'app:1')
      assert.equal(sent > 0 && sent < LARGE, true, `${sent} bytes`)
      assert.equal(await engine.isWhole('app:1'), true)
    })

    it('sends a layer again that was lost in between', async () => {
      const [large = ''] = await layers('app:1')
      await engine.lose(large)
      writeFileSync(directory.file('context/small'), 'three\n')
      const sent = await load('-t', 'app:3')
      assert.equal(sent > LARGE, true, `${sent} bytes`)
      assert.equal(await engine.isWhole('app:3'), true)
    })

    it('makes an image whole again that lost a layer', async () => {
      const [large = ''] = await layers('app:3')
      await engine.lose(large)
      await load('-t', 'app:3')
      assert.equal(await engine.isWhole('app:3'), true)
    })

    it('takes packed layers, and the times that an output asks for', async () => {
      const output = 'type=docker,compression=gzip,rewrite-timestamp=true'
      await load('-t', 'app:packed', '-o', output, '--build-arg', 'SOURCE_DATE_EPOCH=0')
      assert.equal(await engine.isWhole('app:packed'), true)
    })
  })
}
