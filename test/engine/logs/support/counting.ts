/** `counting.js FOLDER DRIVER OPTIONS ROUND`: writes numbered lines to a log until it is killed. */
import type { LogDriver } from '#engine/logs'
import { logIn } from './log-lab.ts'

const [, , folder = '', driver = '', options = '{}', round = ''] = process.argv
const log = logIn(folder, { driver: driver as LogDriver, options: JSON.parse(options) })
for (let number = 0; ; number++) {
  const filling = 'y'.repeat((number * 37) % 200)
  await log.write('stdout', Buffer.from(`${round} ${number} ${filling}\n`))
  if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  if (number === 500) process.stdout.write('many\n')
}
