/**
 * `child.js FOLDER SEED MOST PART PARTS`: in a mount namespace of its own, lets calls of each situation fail, and writes
 * a line of JSON for each of them. MOST: so many calls of each situation, which the seed chooses; 0: all there are. It
 * does one of so many parts of the situations.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FailingCall } from '../../../support/failing-call/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { Disk } from './disk.ts'
import { Injection } from './injection.ts'
import { SITUATIONS, startBaseRegistry, writeContexts } from './situations.ts'

const [, , folder = '', seed = '', most = '', part = '', parts = ''] = process.argv
const ERRORS = ['ENOSPC', 'EDQUOT', 'ENOSPC', 'EIO'] as const
const random = seededRandom(Number(seed))
const contexts = join(folder, 'contexts')
mkdirSync(contexts)
await writeContexts(contexts)
// Of a file that changed a moment ago no digest is remembered.
const settled = delay(2500)
await using registry = await startBaseRegistry()
await settled
const disk = await Disk.mount(folder)
const place = { disk, contexts, host: registry.host }
for (const [index, situation] of SITUATIONS.entries()) {
  if (index % Number(parts) !== Number(part)) continue
  const injection = await Injection.prepare(situation, place, join(folder, 'calls'))
  const { dispensable = [] } = situation
  const missing = dispensable.map(
    (about) => ({ about, nth: 1, error: 'ENOSPC', life: 'on' }) as const,
  )
  for (const failing of [...missing, ...chosen(injection.count)]) {
    const injected = await injection.inject(failing)
    process.stdout.write(`${JSON.stringify({ situation: situation.name, failing, ...injected })}\n`)
  }
}

function chosen(count: number): readonly FailingCall[] {
  const one = (): number => 1 + Math.floor(random() * count)
  const numbers =
    Number(most) === 0
      ? Array.from({ length: count }, (_, at) => at + 1)
      : Array.from({ length: Number(most) }, one)
  return numbers.map((nth) => ({
    nth,
    error: ERRORS[Math.floor(random() * ERRORS.length)] ?? 'ENOSPC',
    life: random() < 0.5 ? 'once' : 'on',
  }))
}
