import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPlatform, hexOf, hostPlatform, type Platform, parsePlatform } from '#core'
import {
  type ForeignImage,
  foreignImage,
  foreignLayer,
  publish,
  publishIndex,
} from '../support/images.ts'
import { putShell } from '../support/shell-base.ts'
import { type Built, Workplace } from '../support/workplace.ts'

const HOST = hostPlatform()
const HERE = formatPlatform(HOST)
const THERE = HERE === 'linux/arm64' ? 'linux/amd64' : 'linux/arm64'
const EMPTY: Platform = { os: '', architecture: '' }

interface Case {
  readonly what: string
  readonly base: (at: Workplace) => Promise<void>
  /** Nothing: this machine's by default. */
  readonly platform?: string
  readonly config: string
  /** In the index, where that is another. */
  readonly offered?: string
  readonly isWarnedOf?: boolean
}

const image = async (platform: Platform): Promise<ForeignImage> =>
  foreignImage([await foreignLayer({ x: '1' })], { platform })

const single =
  (platform: Platform) =>
  async (at: Workplace): Promise<void> =>
    publish(at.registry, 'base', await image(platform))

/** An index whose entry says `entry` and whose config `claimed`. */
const listed =
  (entry: Platform, claimed: Platform) =>
  async (at: Workplace): Promise<void> => {
    const made = await image(claimed)
    const descriptor = { ...made.manifest.descriptor, platform: entry }
    const manifest = { ...made.manifest, descriptor }
    publishIndex(at.registry, 'base', { images: [{ ...made, manifest }] })
  }

const there = parsePlatform(THERE)
const special: Platform = { ...HOST, variant: 'v2', 'os.version': '7.7', 'os.features': ['f'] }
const named = `linux(7.7+f)/${HOST.architecture}/v2`

const CASES: readonly Case[] = [
  { what: 'a config without a platform', base: single(EMPTY), config: HERE },
  { what: 'the same, asked for', base: single(EMPTY), platform: HERE, config: HERE },
  { what: 'a listed config without one', base: listed(HOST, EMPTY), config: HERE },
  {
    what: 'a config without an architecture',
    base: listed(HOST, { ...EMPTY, os: 'linux' }),
    config: HERE,
  },
  {
    what: 'a config of another architecture than its index entry',
    base: listed(HOST, there),
    config: THERE,
    isWarnedOf: true,
  },
  {
    what: 'the same, asked for',
    base: listed(HOST, there),
    platform: HERE,
    config: HERE,
    isWarnedOf: true,
  },
  {
    what: 'a single image for another platform',
    base: single(there),
    config: THERE,
    isWarnedOf: true,
  },
  {
    what: 'the same, asked for',
    base: single(there),
    platform: HERE,
    config: HERE,
    isWarnedOf: true,
  },
  { what: 'variant, version and features of the base', base: single(special), config: named },
  {
    what: 'the same, which the platform asked for leaves open',
    base: single(special),
    platform: HERE,
    config: named,
    offered: HERE,
  },
  {
    what: 'the same, with another version asked for',
    base: single(special),
    platform: `linux(8.8)/${HOST.architecture}`,
    config: `linux(8.8+f)/${HOST.architecture}/v2`,
    offered: `linux(8.8)/${HOST.architecture}`,
  },
]

describe('the platform of a base', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const steps = (base: string): readonly string[] => [
    `FROM ${base}`,
    'COPY --chmod=755 busybox /busybox',
    'RUN ["/busybox", "true"]',
  ]

  function warningsOf({ events }: Pick<Built, 'events'>): readonly string[] {
    return events.flatMap((event) =>
      event.type === 'warning' ? [event.rule ?? event.message] : [],
    )
  }

  /** Platforms of the config and of the descriptor that an archive has. */
  function platformsIn(folder: string): readonly string[] {
    const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'))
    const [entry] = read('index.json').manifests
    const blob = (digest: Parameters<typeof hexOf>[0]) => read(`blobs/sha256/${hexOf(digest)}`)
    const config = blob(blob(entry.digest).config.digest)
    return [formatPlatform(config), formatPlatform(entry.platform)]
  }

  for (const { what, base, platform, config, offered = config, isWarnedOf = false } of CASES) {
    const suffix = platform === undefined ? '' : ` with --platform ${platform}`
    it(`${what}${suffix}: its steps run, and it becomes ${config}`, async () => {
      await base(at)
      const dest = at.path('out')
      const built = await at.build(steps(at.at('base')), {
        ...(platform === undefined ? {} : { platform }),
        outputs: [{ type: 'oci', dest, tar: false }],
      })
      assert.deepEqual(platformsIn(dest), [config, offered])
      const warnings = isWarnedOf ? ['InvalidBaseImagePlatform'] : []
      assert.deepEqual(warningsOf(built), warnings)
    })
  }

  it('is in no step: a step is the same whatever the config of its base claims', async () => {
    const layer = await foreignLayer({ x: '1' })
    for (const [name, platform] of [
      ['one', HOST],
      ['two', special],
      ['three', there],
    ] as const) {
      publish(at.registry, name, foreignImage([layer], { platform }))
    }
    await at.build(steps(at.at('one')))
    for (const name of ['two', 'three']) {
      const { total, cached } = (await at.build(steps(at.at(name)))).steps
      assert.deepEqual([total, cached], [2, 2], name)
    }
  })

  it('in the local store may be of any variant', async () => {
    await single({ ...HOST, variant: 'v2' })(at)
    await at.build([`FROM ${at.at('base')}`], { tags: ['kept'] })
    at.takeLog()
    await at.build(['FROM kept', 'COPY busybox /b'])
    assert.deepEqual(at.takeLog(), [])
  })

  it('is chosen downwards, and 32 bits last', async () => {
    const of = (architecture: string, variant?: string): Platform => ({
      os: 'linux',
      architecture,
      ...(variant === undefined ? {} : { variant }),
    })
    const offered = [of('386'), of('amd64'), of('amd64', 'v2'), of('amd64', 'v3')]
    const images = await Promise.all(
      offered.map(async (platform) =>
        foreignImage([await foreignLayer({ [formatPlatform(platform)]: '' })], { platform }),
      ),
    )
    const chosen = async (platform: string): Promise<string> => {
      const built = await at.build([`FROM ${at.at('base')}`], { platform })
      const index = images.findIndex(({ layers: [layer] }) => {
        return layer?.diffId === built.layers[0]?.diffId
      })
      const found = offered[index]
      return found === undefined ? 'none' : formatPlatform(found)
    }
    publishIndex(at.registry, 'base', { images })
    assert.equal(await chosen('linux/amd64/v4'), 'linux/amd64/v3')
    assert.equal(await chosen('linux/amd64/v2'), 'linux/amd64/v2')
    assert.equal(await chosen('linux/amd64'), 'linux/amd64')
    publishIndex(at.registry, 'base', { images: images.slice(0, 1) })
    assert.equal(await chosen('linux/amd64/v3'), 'linux/386')
  })
})
