import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CacheKey, cacheKeyOf, openStore } from '#cache'
import { digestOf, MEDIA_TYPES, parseDiffId } from '#core'
import { CLEAN_ENVIRONMENT } from '../../test/support/peers/index.ts'
import { CLI } from '../builders/tsbuild.ts'

const SIZES = [100, 100_000] as const
const ROUNDS = 20
const BUILDS = 5
/** Of `times(2)`, as Linux gives them to programs. */
const TICKS_PER_SECOND = 100

const STEPS = 40
/** Of different keys, the same ones in every round: as many as the build has. */
const LOOKUPS = STEPS
const DOCKERFILE = [
  'FROM scratch',
  'COPY busybox /bin/busybox',
  'RUN ["/bin/busybox", "mkdir", "/made"]',
  ...Array.from({ length: STEPS - 2 }, (_, step) => `WORKDIR /w${step}`),
].join('\n')

/** Processor time. */
interface Cost {
  /** Microseconds, of a store that was just opened. */
  readonly hit: number
  readonly miss: number
  /** Microseconds, of what was looked up before. */
  readonly again: number
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
    const times = [least('hit'), least('again'), least('miss')].map(
      (time) => `${time.toFixed(1)} µs`,
    )
    return `| ${[size, ...times, `${least('build').toFixed(0)} ms`].join(' | ')} |`
  })
  const head = `| records | a hit | the same again | a miss | a cached build of ${STEPS} steps |`
  return [head, '|---|---|---|---|---|', ...rows].join('\n')
}

async function measure(
  context: string,
  { root, size }: { readonly root: string; readonly size: number },
): Promise<Cost> {
  const hit = await lookUp(root, (index) => keyOfStep(numberOf(index, size)))
  const miss = await lookUp(root, (index) => cacheKeyOf({ missing: index }))
  if (hit.found !== LOOKUPS || miss.found !== 0) throw new Error('a lookup went wrong')
  const began = childrenMilliseconds()
  for (let build = 0; build < BUILDS; build++) buildOnce(context, root)
  const build = (childrenMilliseconds() - began) / BUILDS
  return { hit: hit.first, again: hit.again, miss: miss.first, build }
}

/** Results and families, as a build asks for them. */
async function lookUp(
  root: string,
  keyOf: (index: number) => CacheKey,
): Promise<{ readonly found: number; readonly first: number; readonly again: number }> {
  await using store = openStore(root)
  // Opens the database.
  store.facts.get('any')
  const keys = Array.from({ length: LOOKUPS }, (_, index) => keyOf(index))
  const found = new Set<CacheKey>()
  const ask = async (): Promise<number> => {
    const began = process.cpuUsage()
    for (const { key } of await store.results.find(keys)) found.add(key)
    await store.results.hasFamilies(keys)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / LOOKUPS
  }
  const first = await ask()
  return { first, again: await ask(), found: found.size }
}

/** Puts as many results, each with a layer; those that will be looked up have the blob of theirs. */
async function fill(root: string, size: number): Promise<void> {
  await using store = openStore(root)
  const wanted = new Set(Array.from({ length: LOOKUPS }, (_, index) => numberOf(index, size)))
  for (let number = 0; number < size; number++) {
    const bytes = Buffer.from(`layer ${number}`)
    if (wanted.has(number)) await store.blobs.putBytes(MEDIA_TYPES.ociLayer, bytes)
    const diffId = parseDiffId(digestOf(bytes))
    const { id: layer } = store.layers.register({ diffId, size: bytes.length })
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

/** The results that are looked up lie all over the store. */
function numberOf(index: number, size: number): number {
  return Math.floor((index * size) / LOOKUPS)
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
  const [user, system] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
  return ((Number(user) + Number(system)) * 1000) / TICKS_PER_SECOND
}
