/**
 * Runs in a container: reads orders, a JSON document a line, builds each in place, and answers with a line.
 * One root holds one build at a time.
 */
import { createInterface } from 'node:readline'
import { deliver } from './in-this-process.ts'
import type { Order } from './way.ts'

for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line)
  const answer = await deliver({ ...order, isolation: 'in-place' })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
