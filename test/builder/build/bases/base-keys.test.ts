import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '#core'
import { foreignImage, foreignLayer, publish, publishIndex } from '../support/images.ts'
import { putShell } from '../support/shell-base.ts'
import { namesOf, Workplace } from '../support/workplace.ts'

/** What the keys of steps on a base image depend on: the image's files, and what steps see of its config. */
describe('keys of steps on base images', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
    chmodSync(at.path('context/busybox'), 0o755)
    at.put({ a: 'A' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  /** Whether the only step of the second build was found. */
  const isFound = async (first: string, second: string, step = 'COPY a /a'): Promise<boolean> => {
    await at.build([`FROM ${at.at(first)}`, step])
    const { steps } = await at.build([`FROM ${at.at(second)}`, step], { pull: true })
    return steps.cached === steps.total
  }

  it('another tag of the same image: stays', async () => {
    const image = foreignImage([await foreignLayer({ f: '1' })])
    publish(at.registry, 'one:1', image)
    publish(at.registry, 'two:2', image)
    assert.equal(await isFound('one:1', 'two:2'), true)
  })

  it('another compression of the same layers: stays', async () => {
    publish(at.registry, 'base:gzip', foreignImage([await foreignLayer({ f: '1' }, 'gzip')]))
    publish(at.registry, 'base:zstd', foreignImage([await foreignLayer({ f: '1' }, 'zstd')]))
    assert.equal(await isFound('base:gzip', 'base:zstd'), true)
  })

  it('a label of the image: stays', async () => {
    const layers = [await foreignLayer({ f: '1' })]
    publish(at.registry, 'base:1', foreignImage(layers))
    publish(at.registry, 'base:2', foreignImage(layers, { config: { Labels: { a: 'b' } } }))
    assert.equal(await isFound('base:1', 'base:2'), true)
  })

  it('a tag that has moved to other files: changes', async () => {
    publish(at.registry, 'base:1', foreignImage([await foreignLayer({ f: '1' })]))
    await at.build([`FROM ${at.at('base:1')}`, 'COPY a /a'])
    publish(at.registry, 'base:1', foreignImage([await foreignLayer({ f: '2' })]))
    const { steps } = await at.build([`FROM ${at.at('base:1')}`, 'COPY a /a'], { pull: true })
    assert.equal(steps.cached, steps.total - 1)
  })

  it('the variables of the image, for RUN: changes; for COPY: stays', async () => {
    const layers = [await foreignLayer({ f: '1' })]
    publish(at.registry, 'base:1', foreignImage(layers))
    publish(at.registry, 'base:2', foreignImage(layers, { config: { Env: ['A=1'] } }))
    assert.equal(await isFound('base:1', 'base:2'), true)
    const step = 'RUN --mount=source=busybox,target=/bin/busybox ["/bin/busybox", "true"]'
    assert.equal(await isFound('base:1', 'base:2', step), false)
  })

  it('the target, for RUN on the platform of the build: stays until it is declared', async () => {
    const other = parsePlatform(
      hostPlatform().architecture === 'arm64' ? 'linux/amd64' : 'linux/arm64',
    )
    const layers = [await foreignLayer({ f: '1' })]
    const images = [foreignImage(layers), foreignImage(layers, { platform: other })]
    publishIndex(at.registry, 'base:1', { images })
    const ran = async (target: Platform, ...declared: readonly string[]): Promise<boolean> => {
      const lines = [
        `FROM --platform=$BUILDPLATFORM ${at.at('base:1')} AS made`,
        ...declared,
        'COPY --chmod=755 busybox /bin/busybox',
        'RUN ["/bin/busybox", "mkdir", "/d"]',
        'FROM scratch',
        'COPY --from=made /d /d',
      ]
      const { events } = await at.build(lines, { platform: formatPlatform(target) })
      return namesOf(events, 'done').some((name) => name.includes('RUN'))
    }
    assert.equal(await ran(hostPlatform()), true)
    assert.equal(await ran(other), false)
    assert.equal(await ran(hostPlatform(), 'ARG TARGETARCH'), true)
    assert.equal(await ran(other, 'ARG TARGETARCH'), true)
    assert.equal(await ran(other, 'ARG TARGETARCH'), false)
  })
})
