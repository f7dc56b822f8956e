/** testcontainers runs a redis of Debian's packages on tsbuild's engine, and what it leaves is removed. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { capture, run } from '../../../support/peers/index.ts'
import { type Engine, startRootEngine, startRootlessEngine } from '../support/engine.ts'
import { pushToSite, reaperImage, redisImage } from './site-images.ts'

const PROGRAM = fileURLToPath(new URL('./testcontainers-program.js', import.meta.url))

/** Milliseconds until what is left behind must be gone. */
const PATIENCE = 15_000

async function containersOf({ socket }: Engine): Promise<string> {
  const env = { DOCKER_HOST: `unix://${socket}` }
  const { stdout } = await run('/usr/bin/docker', ['ps', '-a', '--format', '{{.Image}}'], { env })
  return stdout.trim()
}

async function useIt(engine: Engine): Promise<void> {
  const { site, socket } = engine
  const image = await pushToSite(site, await redisImage(), 'redis')
  const reaper = await pushToSite(site, await reaperImage(), 'reaper')
  const [command = '', ...words] = [...site.enter, process.execPath, PROGRAM, image]
  const env = {
    DOCKER_HOST: `unix://${socket}`,
    RYUK_CONTAINER_IMAGE: reaper,
    TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE: socket,
    // Else it looks at whether this machine is a container.
    TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1',
    HOME: site.directory.path,
  }
  const outcome = await capture(command, words, { env, timeoutMs: 90_000 })
  assert.equal(outcome.status, 0, `${outcome.stdout}${outcome.stderr}`)
  assert.deepEqual(JSON.parse(outcome.stdout), {
    answered: '+PONG\r\n+OK\r\n$5\r\nvalue\r\n+OK\r\n',
    asked: 'value',
    copied: 'copied\n',
    env: ['b\n', 0],
    again: '+PONG\r\n+OK\r\n',
  })
  const deadline = performance.now() + PATIENCE
  while ((await containersOf(engine)).includes(image) && performance.now() < deadline) {
    await delay(100)
  }
  assert.doesNotMatch(await containersOf(engine), /redis/)
}

describe('testcontainers', function () {
  this.timeout(240_000)

  for (const [owner, start] of [
    ['root', startRootEngine],
    ['a user', startRootlessEngine],
  ] as const) {
    it(`has its containers from the engine of ${owner}`, async () => {
      await using engine = await start()
      await useIt(engine)
    })
  }
})
