/** The daemon as it is started for others. */
import assert from 'node:assert/strict'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  busyboxBase,
  capture,
  createUser,
  type Outcome,
  pushLayout,
  type Registry,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { type ServePlace, startServe } from '../support/serve.ts'

/** Nobody listens there. */
const CLOSED = '127.0.0.1:1'
const GROUP = 54_321

describe('tsbuild serve', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let places = 0
  before(async () => {
    directory = temporaryDirectory('serve', 0o755)
    registry = await startRegistry()
    await pushLayout(await busyboxBase(), `${registry.host}/hub/busybox:latest`)
  })
  after(async () => {
    await registry[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  function placeFor(...flags: readonly string[]): ServePlace {
    const root = directory.file(`${places++}`)
    const socket = `${root}.sockets/engine.sock`
    return { root, socket, log: `${root}.log`, prefix: [], flags }
  }
  const docker = async (
    { socket }: ServePlace,
    words: readonly string[],
    as: readonly string[] = [],
  ): Promise<Outcome> => {
    const [command = '', ...rest] = [...as, '/usr/bin/docker', '-H', `unix://${socket}`, ...words]
    return await capture(command, rest)
  }

  it('reaches registries as its settings say', async () => {
    const place = placeFor()
    mkdirSync(`${place.root}.home/.config/tsbuild`, { recursive: true })
    const text = `[registry-mirrors]\n"${CLOSED}" = ["${registry.host}/hub"]\n`
    writeFileSync(`${place.root}.home/.config/tsbuild/config.toml`, text)
    await using _daemon = await startServe(place)
    const { status, stderr } = await docker(place, ['pull', '-q', `${CLOSED}/busybox`])
    assert.equal(status, 0, stderr)
  })

  it('reaches registries as its flags say', async () => {
    const mirror = `${CLOSED}=${registry.host}/hub`
    const place = placeFor('--registry-mirror', mirror, '--insecure-registry', 'lab.test:5000')
    await using _daemon = await startServe(place)
    const { status, stderr } = await docker(place, ['pull', '-q', `${CLOSED}/busybox`])
    assert.equal(status, 0, stderr)
    const format = '{{json (index .RegistryConfig.IndexConfigs "lab.test:5000").Secure}}'
    assert.equal((await docker(place, ['info', '-f', format])).stdout.trim(), 'false')
  })

  it('is used by the members of a group, and by nobody else', async () => {
    const place = placeFor('--group', `${GROUP}`)
    await using user = await createUser()
    await using _daemon = await startServe(place)
    const folder = statSync(dirname(place.socket))
    assert.deepEqual([folder.mode & 0o777, folder.gid], [0o710, GROUP])
    const { uid } = statSync(user.home)
    const as = (...groups: readonly string[]): readonly string[] => [
      ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`, ...groups],
    ]
    const member = await docker(place, ['ps', '-q'], as(`--groups=${GROUP}`))
    assert.deepEqual([member.status, member.stdout], [0, ''], member.stderr)
    const other = await docker(place, ['ps', '-q'], as('--clear-groups'))
    assert.match(other.stderr, /permission denied/)
  })
})
