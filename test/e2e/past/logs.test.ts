/** What steps have printed, when their build is over or gone. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  busyboxBase,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, startTsbuild, tsbuild } from '../support/tsbuild.ts'
import { checkFlood, filesBelow } from './flood.ts'

describe('tsbuild logs', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let root: string
  let base: string
  before(async () => {
    base = `base=oci-layout://${await busyboxBase()}`
    directory = temporaryDirectory('logs')
    root = directory.file('store')
  })
  after(() => directory?.[Symbol.dispose]())

  function argsFor(name: string, ...steps: readonly string[]): readonly string[] {
    const Dockerfile = ['FROM base', ...steps].join('\n')
    const context = writeContext(directory.file(name), { Dockerfile })
    return ['--build-context', base, '-t', name, context]
  }

  async function builds() {
    const { stdout } = await mustBuild(['builds', '--format', 'json'], { root })
    return (JSON.parse(stdout) as { builds: { id: string; result: string; tags: string[] }[] })
      .builds
  }

  it('prints steps of builds, without what would control a terminal', async () => {
    await mustBuild(
      argsFor(
        'plain',
        'RUN printf "one\\033[2J\\n10%%\\r20%%\\ntab\\tend"; echo two >&2',
        'RUN true',
      ),
      { root },
    )
    const failing = argsFor('failing', 'RUN echo fine', 'RUN echo "$SECRET" && false')
    assert.equal((await tsbuild(failing, { root })).status, 1)
    const { stdout } = await mustBuild(['logs'], { root })
    assert.equal(
      stdout,
      'v1 [2/3] RUN echo fine\nfine\n\nv2 [3/3] RUN echo "$SECRET" && false\n\n\n',
    )
    const failed = await mustBuild(['logs', '--failed'], { root })
    assert.equal(failed.stdout, '\n')
    const [, first] = await builds()
    const plain = await mustBuild(['logs', first?.id.slice(0, 6) ?? '', 'v1'], { root })
    assert.equal(plain.stdout, 'one\n20%\ntab     end\ntwo\n')
    assert.deepEqual(
      (await builds()).map(({ result, tags }) => [result, ...tags]),
      [
        ['failed', 'failing:latest'],
        ['done', 'plain:latest'],
      ],
    )
    const filtered = await mustBuild(['builds', '--filter', 'result=done'], { root })
    assert.match(filtered.stdout, /^BUILD .*\n\w{8} .* done .* plain:latest\n$/)
  })

  it('has no secret in its files', async () => {
    const secrets = ['--secret', 'id=token,env=TOKEN']
    const step = 'RUN --mount=type=secret,id=token cat /run/secrets/token; echo; false'
    const outcome = await tsbuild([...secrets, ...argsFor('secret', step)], {
      root,
      env: { TOKEN: 'one-two-three' },
    })
    assert.equal(outcome.status, 1)
    assert.equal((await mustBuild(['logs', '--failed'], { root })).stdout, '***\n')
    const found = filesBelow(join(root, 'builds')).filter((path) =>
      readFileSync(path).includes('one-two-three'),
    )
    assert.deepEqual(found, [])
  })

  it('has what a build printed that was killed', async () => {
    const child = startTsbuild(argsFor('killed', 'RUN echo begun; sleep 60'), { root })
    const ended = once(child, 'exit')
    try {
      await untilPrinted(/begun/)
      assert.equal((await builds())[0]?.result, 'running')
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    assert.equal((await builds())[0]?.result, 'lost')
    const { stdout } = await mustBuild(['logs'], { root })
    assert.equal(stdout, 'begun\n')
  })

  it('keeps the begin and the end of a flood, and nothing of it in memory', async () => {
    await checkFlood(24_000_000, (step) => argsFor('flood', step), root)
  })

  it('is counted in the store, and goes with it', async () => {
    const listed = JSON.parse((await mustBuild(['du', '--format=json'], { root })).stdout)
    const items = listed.items.filter(({ description }: { description: string }) =>
      /what a build printed|what a failed step has left/.test(description),
    )
    assert.equal(items.length, 7)
    assert.ok(items.some(({ size }: { size: number }) => size > 12 << 20))
    await mustBuild(['prune', '--force', '--all'], { root })
    assert.deepEqual(await builds(), [])
    assert.deepEqual(readdirSync(join(root, 'kept')), [])
  })

  async function untilPrinted(pattern: RegExp): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      if (pattern.test((await tsbuild(['logs'], { root })).stdout)) return
      await delay(50)
    }
    throw new Error(`${pattern} was not printed`)
  }
})
