/** Kills a builder whose step has a secret, and fails unless everything of that step goes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processesOf } from '../../../../suites/sandbox/host-processes.ts'

const SECRET = 'the secret of a step'
const HOLDER = fileURLToPath(new URL('./holding-secret.js', import.meta.url))

const child = spawn(process.execPath, [HOLDER, SECRET], { stdio: ['ignore', 'pipe', 'inherit'] })
await once(child.stdout, 'data')
assert.equal(secretsLeft().length, 1)
assert.equal(processesOf('sleep 4711').length > 0, true)
child.kill('SIGKILL')
await once(child, 'exit')
for (let round = 0; round < 100 && secretsLeft().length > 0; round++) await delay(20)
assert.deepEqual(secretsLeft(), [])
for (let round = 0; round < 100 && processesOf('sh -c cat /s').length > 0; round++) await delay(20)
assert.deepEqual(processesOf('sh -c cat /s'), [])
assert.deepEqual(processesOf('supervisor'), [])
console.log('everything is gone')

function secretsLeft(): readonly string[] {
  return readdirSync('/dev/shm', { recursive: true, encoding: 'utf8' }).filter((path) => {
    const place = `/dev/shm/${path}`
    return statSync(place).isFile() && readFileSync(place, 'utf8').includes(SECRET)
  })
}
