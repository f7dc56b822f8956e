import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CacheKey, cacheKeyOf, openStore } from '#cache'
import { digestOf, MEDIA_TYPES, parseDiffId } from '#core'
import { CLEAN_ENVIRONMENT } from '../../test/support/peers/index.ts'
import { CLI } from '../builders/tsbuild.ts'

const SIZES = [100, 100_000] as const
const ROUNDS = 20
/** Of different keys, the same ones in every round: as many as there are in the smallest store. */
const LOOKUPS = 100
const BUILDS = 5
/** Of `times(2)`, as Linux gives them to programs. */
const TICKS_PER_SECOND = 100

const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "mkdir", "/made"]
WORKDIR /w
COPY a .
`

/** Processor time. */
interface Cost {
  /** Microseconds. */
  readonly hit: number
  readonly miss: number
  /** Milliseconds of a whole process, in which all is cached. */
  readonly build: number
}

/**
 * What looking results up costs in stores with few records and with many.
 * @param file a path in a folder that is removed in the end
 */
export async function lookupFigures(file: (name: string) => string): Promise<string> {
  const context = file('lookups')
  mkdirSync(context)
  copyFileSync('/bin/busybox', join(context, 'busybox'))
  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE)
  writeFileSync(join(context, 'a'), 'a')
  const stores = SIZES.map((size) => ({ size, root: file(`lookups-${size}`), costs: [] as Cost[] }))
  for (const { size, root } of stores) {
    await fill(root, size)
    buildOnce(context, root)
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const store of stores) store.costs.push(await measure(context, store))
  }
  const rows = stores.map(({ size, costs }) => {
    const least = (part: keyof Cost): number => Math.min(...costs.map((cost) => cost[part]))
    const [hit, miss, build] = [least('hit'), least('miss'), least('build')]
    return `| ${size} | ${hit.toFixed(1)} µs | ${miss.toFixed(1)} µs | ${build.toFixed(0)} ms |`
  })
  return ['| records | a hit | a miss | a cached build |', '|---|---|---|---|', ...rows].join('\n')
}

async function measure(
  context: string,
  { root, size }: { readonly root: string; readonly size: number },
): Promise<Cost> {
  const hit = await lookUp(root, (index) => keyOfStep(Math.floor((index * size) / LOOKUPS)))
  const miss = await lookUp(root, (index) => cacheKeyOf({ missing: index }))
  if (hit.found !== LOOKUPS || miss.found !== 0) throw new Error('a lookup went wrong')
  const began = childrenMilliseconds()
  for (let build = 0; build < BUILDS; build++) buildOnce(context, root)
  const build = (childrenMilliseconds() - began) / BUILDS
  return { hit: hit.microseconds, miss: miss.microseconds, build }
}

/** Results and families, as a build asks for them. */
async function lookUp(
  root: string,
  keyOf: (index: number) => CacheKey,
): Promise<{ readonly found: number; readonly microseconds: number }> {
  await using store = openStore(root)
  const keys = Array.from({ length: LOOKUPS }, (_, index) => keyOf(index))
  const began = process.cpuUsage()
  const { length: found } = await store.results.find(keys)
  await store.results.hasFamilies(keys)
  const { user, system } = process.cpuUsage(began)
  return { found, microseconds: (user + system) / LOOKUPS }
}

/** Puts as many results, and layers besides; the layer of all results is one blob. */
async function fill(root: string, size: number): Promise<void> {
  await using store = openStore(root)
  const blob = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, Buffer.from('a layer'))
  const diffId = parseDiffId(blob.digest)
  const { id: layer } = store.layers.register({ diffId, size: blob.size })
  for (let number = 0; number < size; number++) {
    store.layers.register({ diffId: parseDiffId(digestOf(`layer ${number}`)), size: number })
    store.records.put({
      key: keyOfStep(number),
      family: cacheKeyOf({ family: number % 1000 }),
      inputs: [keyOfStep(number + 1)],
      preimage: { op: 'exec', number, text: 'x'.repeat(400) },
      layer,
      description: `[build 2/5] RUN number ${number}`,
    })
    store.records.link(cacheKeyOf({ linked: number }), keyOfStep(number))
  }
}

function keyOfStep(number: number): CacheKey {
  return cacheKeyOf({ step: number })
}

function buildOnce(context: string, root: string): void {
  const args = [CLI, '--root', root, '-t', 'lookups', context]
  const { status, stderr } = spawnSync(process.execPath, args, { env: CLEAN_ENVIRONMENT })
  if (status !== 0) throw new Error(`build: ${stderr}`)
}

/** Processor time of all processes that this one has waited for, with theirs. */
function childrenMilliseconds(): number {
  const text = readFileSync('/proc/self/stat', 'utf8')
  const [user, system] = text.slice(text.lastIndexOf(')') + 2).split(' ').slice(13, 15)
  return ((Number(user) + Number(system)) * 1000) / TICKS_PER_SECOND
}
