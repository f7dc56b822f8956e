/** `filling.js FOLDER DRIVER`: writes a log where the disk becomes full, and then has room again. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerLog, LogDriver } from '#engine/logs'
import { linesOf, logIn } from './log-lab.ts'

const [, , folder = '', driver = ''] = process.argv
let failures = 0
const onFailure = (): void => {
  failures++
}
const options = { 'max-size': '1g', compress: 'false' }
writeFileSync(join(folder, 'other'), Buffer.alloc(64 * 1024))
const log = logIn(join(folder, 'log'), { driver: driver as LogDriver, options, onFailure })
for (let number = 0; failures === 0; number++) await print(number)
const before = await count(log)
for (let number = 0; number < 20; number++) await print(number)
const during = await count(log)
rmSync(join(folder, 'other'))
for (let number = 0; number < 20; number++) await print(number)
const after = await count(log)
process.stdout.write(JSON.stringify({ failures, before, during, after }))

async function print(number: number): Promise<void> {
  await log.write('stdout', Buffer.from(`${number} ${'z'.repeat(100)}\n`))
  await new Promise((resolve) => setImmediate(resolve))
}

async function count(read: ContainerLog): Promise<number> {
  const lines = await linesOf(read)
  if (lines.some(({ data }) => !/^\d+ z{100}\n$/.test(`${Buffer.from(data)}`))) {
    throw new Error('a line is not whole')
  }
  return lines.length
}
