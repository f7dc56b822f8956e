import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { hasOwnMemory, processTree } from '../support/processes.ts'
import { startTsbuild } from '../support/tsbuild.ts'

const MIB = 1024 * 1024
const LIMIT_MIB = 300
/** More than fits below the limit. */
const FILE_MIB = 384

describe('memory', function () {
  this.timeout(180_000)
  let directory: TemporaryDirectory
  let registry: Registry

  before(async () => {
    directory = temporaryDirectory('memory')
    registry = await startBusyboxRegistry()
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it(`stays under ${LIMIT_MIB} MB when a file of ${FILE_MIB} MiB is copied and pushed`, async () => {
    const context = writeContext(directory.file('context'), {
      Dockerfile: `FROM ${registry.host}/busybox:latest\nCOPY big /big\nRUN test -s /big\n`,
    })
    writeIncompressible(`${context}/big`, FILE_MIB)
    assert.equal(statSync(`${context}/big`).size, FILE_MIB * MIB)
    const image = `${registry.host}/big:latest`
    const deadline = performance.now() + 150_000
    const child = startTsbuild(['-t', image, '--push', context], { root: directory.file('store') })
    const peaks = new Map<number, number>()
    const exited = once(child, 'exit')
    try {
      while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
        for (const { pid } of processTree(child.pid ?? 0)) {
          if (hasOwnMemory(pid)) peaks.set(pid, peakOf(pid) ?? peaks.get(pid) ?? 0)
        }
        await Promise.race([delay(50), exited])
      }
    } finally {
      child.kill('SIGKILL')
    }
    assert.equal(child.exitCode, 0)
    const { stdout } = await run('skopeo', [
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${image}`,
    ])
    const { layers } = JSON.parse(stdout) as { layers: { size: number }[] }
    assert.ok(
      layers.some(({ size }) => size > (FILE_MIB - 24) * MIB),
      stdout,
    )
    // Together, and each at its own worst moment: more than was ever used at once.
    const peak = [...peaks.values()].reduce((sum, kib) => sum + kib, 0) / 1024
    assert.ok(peak > 20 && peak < LIMIT_MIB, `${Math.round(peak)} MB`)
  })
})

/** Highest resident memory of a process so far, in KiB. */
function peakOf(pid: number): number | undefined {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kib === undefined ? undefined : Number(kib)
  } catch {
    return undefined
  }
}

/** One random block again and again: farther apart than gzip looks back. */
function writeIncompressible(path: string, mebibytes: number): void {
  const block = randomFillSync(Buffer.alloc(MIB))
  const file = openSync(path, 'w')
  for (let written = 0; written < mebibytes; written += 1) {
    block.writeUInt32LE(written)
    writeSync(file, block)
  }
  closeSync(file)
}
