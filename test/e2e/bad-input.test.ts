import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createUser,
  freePort,
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
  type User,
} from '../support/peers/index.ts'
import { type BadInput, readBadInput, updateBadInput } from './support/bad-input-table.ts'
import { writeContext } from './support/context.ts'
import { type Installed, installedFor } from './support/installed.ts'
import { FIXTURES, tsbuild } from './support/tsbuild.ts'

const TABLE = `${FIXTURES}/e2e/bad-input.txt`

describe('bad input', () => {
  const cases = readBadInput(TABLE)
  const seen = new Map<string, string>()
  const stack = new AsyncDisposableStack()
  let directory: TemporaryDirectory
  let user: User
  let installed: Installed
  /** What the words with a dollar sign in the table stand for. */
  const values = new Map<string, string>()

  before(async () => {
    directory = stack.use(temporaryDirectory('bad', 0o755))
    user = stack.use(await createUser())
    installed = stack.use(await installedFor(user))
    const good = stack.use(await startBusyboxRegistry())
    const faulty = stack.use(await startBusyboxRegistry())
    values.set('$REGISTRY', good.host)
    values.set('$FAULTY', faulty.host)
    values.set('$CLOSED', `127.0.0.1:${await freePort()}`)
    await damageLayer(faulty)
  })

  after(async () => {
    if (process.env.UPDATE === '1') updateBadInput(TABLE, seen)
    await stack.disposeAsync()
  })

  it('has a table of at least 25 kinds', () => {
    assert.ok(cases.length >= 25)
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
  })

  for (const [index, bad] of cases.entries()) {
    it(bad.name, async () => {
      const { status, stderr } = await use(bad, directory.file(`${index}`))
      const text = readable(stderr, directory.file(`${index}`))
      seen.set(bad.name, text)
      assert.equal(status, 1)
      if (process.env.UPDATE !== '1') assert.equal(text, bad.stderr)
    })
  }

  /** Changes the last byte of the base image's layer where the registry keeps it. */
  async function damageLayer(registry: Registry): Promise<void> {
    const { stdout } = await run('skopeo', [
      ...['inspect', '--raw', '--tls-verify=false'],
      `docker://${registry.host}/busybox:latest`,
    ])
    const manifest = createHash('sha256').update(stdout).digest('hex')
    values.set('$MANIFEST', `sha256:${manifest}`)
    const { layers } = JSON.parse(stdout) as { layers: { digest: string }[] }
    const digest = layers[0]?.digest ?? ''
    const hex = digest.replace('sha256:', '')
    const blobs = join(registry.storage, 'docker/registry/v2/blobs/sha256')
    const file = join(blobs, hex.slice(0, 2), hex, 'data')
    const bytes = readFileSync(file)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    writeFileSync(file, bytes)
    values.set('$LAYER', digest)
    values.set('$DAMAGED', `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  }

  async function use(bad: BadInput, context: string): ReturnType<typeof tsbuild> {
    const files = Object.fromEntries(bad.files.map((name) => [name, name]))
    const inPlace = (text: string) => filled(text.replaceAll('$CONTEXT', context))
    const dockerfile = bad.dockerfile === undefined ? {} : { Dockerfile: inPlace(bad.dockerfile) }
    writeContext(context, { './': '', ...files, ...dockerfile })
    const args = bad.arguments.map(inPlace)
    if (bad.locked === undefined) return await tsbuild(args, { root: `${context}.store` })
    chmodSync(join(context, bad.locked), 0)
    return await tsbuild(args, {
      root: `${user.home}/store`,
      cwd: user.home,
      env: { HOME: user.home },
      prefix: user.prefix,
      installed,
    })
  }

  function filled(text: string): string {
    return [...values].reduce((result, [name, value]) => result.replaceAll(name, value), text)
  }

  /** What differs from run to run gets its name in the table back; progress is left out. */
  function readable(stderr: string, context: string): string {
    const text = [...values, ['$CONTEXT', context] as const].reduce(
      (result, [name, value]) => result.replaceAll(value, name),
      stderr,
    )
    return (
      text
        .split('\n')
        .filter((line) => !/^#\d+ /.test(line))
        .map((line) => line.replace(/^\d+\.\d+ /, '$TIME '))
        // Of what has the time of the build.
        .map((line) => line.replace(/sha256:[0-9a-f]{64}/, '$DIGEST'))
        .map((line) => line.replace(/(tsbuild (?:logs|debug)) [0-9a-z]{8}/, '$1 $BUILD'))
        .join('\n')
        .replace(/\n{2,}/g, '\n')
        .replace(/^\n/, '')
    )
  }
})
